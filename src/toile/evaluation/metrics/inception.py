"""Inception-v3 as FID uses it, with the keys of the published file `pt_inception-2015-12-05`.

It is the network of TensorFlow's graph of 2015-12-05, not torchvision's: average pools leave out the padding,
and the last block has a maximum pool where the paper has an average.

Legend: B pictures; shapes are those of a picture of 299×299 pixels.

Source: Szegedy et al. 2015, "Rethinking the inception architecture for computer vision"; Heusel et al. 2017
(FID); the key names are those of pytorch-fid's release `fid_weights`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

from toile.evaluation.metrics.published_weights import PublishedFile, load_into, read_tensors
from toile.evaluation.metrics.resizing import clean_resize, legacy_resize

DIMENSION = 2048
PUBLISHED = PublishedFile(
    network="FID's Inception-v3",
    source="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
)


class ConvolutionUnit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, before: int, after: int, kernel: int | tuple[int, int], *, stride: int = 1, same: bool = True
    ) -> None:
        """Make one; with `same`, the padding keeps the size at stride 1."""
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if same else (0, 0)
        self.conv = nn.Conv2d(before, after, (height, width), stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Float[Tensor, "B _ _ _"]) -> Float[Tensor, "B _ _ _"]:
        """Apply all three."""
        return relu(self.bn(self.conv(x)))


def _average(x: Tensor) -> Tensor:
    """3×3 means of what lies inside the picture."""
    return avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(nn.Module):
    """35×35: branches of 1×1, 5×5, two 3×3, and a pool."""

    def __init__(self, before: int, pooled: int) -> None:
        """Make one with `pooled` channels from the pool."""
        super().__init__()
        self.branch1x1 = ConvolutionUnit(before, 64, 1)
        self.branch5x5_1 = ConvolutionUnit(before, 48, 1)
        self.branch5x5_2 = ConvolutionUnit(48, 64, 5)
        self.branch3x3dbl_1 = ConvolutionUnit(before, 64, 1)
        self.branch3x3dbl_2 = ConvolutionUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvolutionUnit(96, 96, 3)
        self.branch_pool = ConvolutionUnit(before, pooled, 1)

    def forward(self, x: Float[Tensor, "B _ _ _"]) -> Float[Tensor, "B _ _ _"]:
        """Concatenate the branches."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_average(x))], dim=1)


class BlockB(nn.Module):
    """35×35 to 17×17."""

    def __init__(self, before: int) -> None:
        """Make it."""
        super().__init__()
        self.branch3x3 = ConvolutionUnit(before, 384, 3, stride=2, same=False)
        self.branch3x3dbl_1 = ConvolutionUnit(before, 64, 1)
        self.branch3x3dbl_2 = ConvolutionUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvolutionUnit(96, 96, 3, stride=2, same=False)

    def forward(self, x: Float[Tensor, "B _ _ _"]) -> Float[Tensor, "B _ _ _"]:
        """Concatenate the branches and a maximum pool."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, max_pool2d(x, 3, stride=2)], dim=1)


class BlockC(nn.Module):
    """17×17: 7×7 convolutions taken apart into rows and columns."""

    def __init__(self, narrow: int) -> None:
        """Make one with `narrow` channels inside the branches."""
        super().__init__()
        row, column = (1, 7), (7, 1)
        self.branch1x1 = ConvolutionUnit(768, 192, 1)
        self.branch7x7_1 = ConvolutionUnit(768, narrow, 1)
        self.branch7x7_2 = ConvolutionUnit(narrow, narrow, row)
        self.branch7x7_3 = ConvolutionUnit(narrow, 192, column)
        self.branch7x7dbl_1 = ConvolutionUnit(768, narrow, 1)
        self.branch7x7dbl_2 = ConvolutionUnit(narrow, narrow, column)
        self.branch7x7dbl_3 = ConvolutionUnit(narrow, narrow, row)
        self.branch7x7dbl_4 = ConvolutionUnit(narrow, narrow, column)
        self.branch7x7dbl_5 = ConvolutionUnit(narrow, 192, row)
        self.branch_pool = ConvolutionUnit(768, 192, 1)

    def forward(self, x: Float[Tensor, "B 768 _ _"]) -> Float[Tensor, "B 768 _ _"]:
        """Concatenate the branches."""
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(_average(x))], dim=1)


class BlockD(nn.Module):
    """17×17 to 8×8."""

    def __init__(self) -> None:
        """Make it."""
        super().__init__()
        self.branch3x3_1 = ConvolutionUnit(768, 192, 1)
        self.branch3x3_2 = ConvolutionUnit(192, 320, 3, stride=2, same=False)
        self.branch7x7x3_1 = ConvolutionUnit(768, 192, 1)
        self.branch7x7x3_2 = ConvolutionUnit(192, 192, (1, 7))
        self.branch7x7x3_3 = ConvolutionUnit(192, 192, (7, 1))
        self.branch7x7x3_4 = ConvolutionUnit(192, 192, 3, stride=2, same=False)

    def forward(self, x: Float[Tensor, "B 768 _ _"]) -> Float[Tensor, "B 1280 _ _"]:
        """Concatenate the branches and a maximum pool."""
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, max_pool2d(x, 3, stride=2)], dim=1)


class BlockE(nn.Module):
    """8×8: 3×3 convolutions side by side as a row and a column."""

    def __init__(self, before: int, *, maximum: bool) -> None:
        """Make one; with `maximum`, its pool is one of maxima (a slip of the published graph)."""
        super().__init__()
        self.maximum = maximum
        self.branch1x1 = ConvolutionUnit(before, 320, 1)
        self.branch3x3_1 = ConvolutionUnit(before, 384, 1)
        self.branch3x3_2a = ConvolutionUnit(384, 384, (1, 3))
        self.branch3x3_2b = ConvolutionUnit(384, 384, (3, 1))
        self.branch3x3dbl_1 = ConvolutionUnit(before, 448, 1)
        self.branch3x3dbl_2 = ConvolutionUnit(448, 384, 3)
        self.branch3x3dbl_3a = ConvolutionUnit(384, 384, (1, 3))
        self.branch3x3dbl_3b = ConvolutionUnit(384, 384, (3, 1))
        self.branch_pool = ConvolutionUnit(before, 192, 1)

    def forward(self, x: Float[Tensor, "B _ _ _"]) -> Float[Tensor, "B 2048 _ _"]:
        """Concatenate the branches."""
        pooled = max_pool2d(x, 3, stride=1, padding=1) if self.maximum else _average(x)
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(single),
                self.branch3x3_2b(single),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(pooled),
            ],
            dim=1,
        )


class FidInception(nn.Module):
    """The network up to its last pool, `pool3`."""

    def __init__(self) -> None:
        """Make it with random weights, ready to measure with."""
        super().__init__()
        self.Conv2d_1a_3x3 = ConvolutionUnit(3, 32, 3, stride=2, same=False)
        self.Conv2d_2a_3x3 = ConvolutionUnit(32, 32, 3, same=False)
        self.Conv2d_2b_3x3 = ConvolutionUnit(32, 64, 3)
        self.Conv2d_3b_1x1 = ConvolutionUnit(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvolutionUnit(80, 192, 3, same=False)
        self.Mixed_5b = BlockA(192, pooled=32)
        self.Mixed_5c = BlockA(256, pooled=64)
        self.Mixed_5d = BlockA(288, pooled=64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(128)
        self.Mixed_6c = BlockC(160)
        self.Mixed_6d = BlockC(160)
        self.Mixed_6e = BlockC(192)
        self.Mixed_7a = BlockD()
        self.Mixed_7b = BlockE(1280, maximum=False)
        self.Mixed_7c = BlockE(2048, maximum=True)
        self.eval().requires_grad_(False)

    def forward(self, x: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 2048"]:
        """The means over the last feature maps, of pictures of 299×299 pixels about [-1, 1]."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # (B, 64, 147, 147)
        x = max_pool2d(x, 3, stride=2)  #                                    (B, 64, 73, 73)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))  #                     (B, 192, 71, 71)
        x = max_pool2d(x, 3, stride=2)  #                                    (B, 192, 35, 35)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))  #                (B, 288, 35, 35)
        x = self.Mixed_6b(self.Mixed_6a(x))  #                               (B, 768, 17, 17)
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(x)))  #                (B, 768, 17, 17)
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  #                (B, 2048, 8, 8)
        return x.mean(dim=(2, 3))


def load_inception(path: Path | None) -> FidInception:
    """The network with the published weights, .pth or safetensors.

    Raises:
        ToileError: when the file is missing or holds something else, such as torchvision's own Inception.
    """
    network = FidInception()
    tensors = read_tensors(path, PUBLISHED)
    # counts of training batches, which measuring does not read, and which not every file has
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("_tracked")}
    load_into(network, counters | tensors, Path(str(path)), PUBLISHED)
    return network


@dataclass(frozen=True, kw_only=True)
class InceptionFeatures:
    """FID's vectors, with clean-fid's resizing or with the legacy one of pytorch-fid."""

    network: FidInception
    """With the published weights."""
    legacy: bool = False
    """Resize as pytorch-fid does."""
    device: str = "cpu"
    """Where the network computes."""

    @property
    def name(self) -> str:
        """The extractor's name."""
        return "inception_legacy" if self.legacy else "inception"

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return DIMENSION

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B 2048"]:
        """One vector a picture (RGB).

        clean-fid brings bytes to about [-1, 1] by (x - 128) / 128, pytorch-fid by 2x / 255 - 1.
        """
        resize = legacy_resize if self.legacy else clean_resize
        pixels = torch.from_numpy(np.stack([resize(picture) for picture in pictures])).to(self.device)
        scaled = pixels / 127.5 - 1 if self.legacy else (pixels - 128) / 128
        vectors: np.ndarray = self.network.to(self.device)(scaled).cpu().numpy()
        return vectors
