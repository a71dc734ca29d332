"""DISTS: how far two pictures lie apart in texture and structure. Its formula takes any list of feature maps.

Source: Ding et al. 2020, "Image quality assessment: unifying structure and texture similarity".
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torchmetrics
from jaxtyping import Float, Float64
from torch import Tensor, nn
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from toile.evaluation.metrics.published_weights import PublishedFile, read_tensors, take
from toile.evaluation.metrics.vgg import vgg16

C1 = 1e-6
C2 = 1e-6
WEIGHTS = PublishedFile(
    network="DISTS's alpha and beta",
    source="the wheel of torchmetrics (torchmetrics/functional/image/dists_models/weights.pt)",
)


class DISTS(nn.Module):
    """DISTS on VGG-16 with Hanning pooling; differentiable, so that it can be a loss too."""

    alpha: Tensor
    beta: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Make it with random weights; `load_dists` gives one to measure with."""
        super().__init__()
        self.stack = vgg16(pooling="hanning")
        self.channels = (3, *self.stack.channels)
        self.register_buffer("alpha", torch.rand(sum(self.channels)))
        self.register_buffer("beta", torch.rand(sum(self.channels)))
        self.register_buffer("mean", torch.tensor(IMAGENET_DEFAULT_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEFAULT_STD)[:, None, None], persistent=False)

    def forward(
        self, predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, " B"]:
        """The distance of RGB pictures in [0, 1]: 0 for equal pictures, lower is better. No resizing."""
        mine, true = (
            [pictures, *self.stack((pictures - self.mean) / self.deviation)]
            for pictures in (predictions, targets)
        )
        alpha, beta = self.alpha.split(self.channels), self.beta.split(self.channels)
        return dists_formula(mine, true, alpha, beta)


def dists_formula(
    features_x: Sequence[Float[Tensor, "B _ _ _"]],
    features_y: Sequence[Float[Tensor, "B _ _ _"]],
    alpha: Sequence[Float[Tensor, " _"]],
    beta: Sequence[Float[Tensor, " _"]],
) -> Float[Tensor, " B"]:
    """The distance of two pictures from their feature maps; 0 for equal pictures, lower is better.

    D(x, y) = 1 - Σ_ij [α_ij l(x_ij, y_ij) + β_ij s(x_ij, y_ij)], x_ij the map of channel j in stage i, with
    texture l = (2 μ_x μ_y + c₁) / (μ_x² + μ_y² + c₁), structure s = (2 σ_xy + c₂) / (σ_x² + σ_y² + c₂).

    Args:
        features_x: the feature maps of each stage, (B, C_i, h_i, w_i), stage 0 being the picture itself.
        features_y: those of the other pictures, of the same shapes.
        alpha: the texture term's weight of each channel of each stage; with beta's, divided by their sum.
        beta: the structure term's weight of each channel of each stage.

    Source: Ding et al. 2020, Eq. 6 to 8.
    """
    total = torch.cat([*alpha, *beta]).double().sum()
    similarity = torch.zeros(len(features_x[0]), dtype=torch.float64, device=features_x[0].device)  # (B,)
    for x, y, a, b in zip(features_x, features_y, alpha, beta, strict=True):
        texture, structure = texture_and_structure(x, y)  # (B, C) each
        similarity = similarity + texture @ a.double() + structure @ b.double()
    return (1 - similarity / total).to(features_x[0].dtype)


def texture_and_structure(
    x: Float[Tensor, "B C h w"], y: Float[Tensor, "B C h w"]
) -> tuple[Float64[Tensor, "B C"], Float64[Tensor, "B C"]]:
    """The two similarities l and s of each channel, at most 1.

    Means are summed in float64 and taken away before anything is squared, so that float32 maps lose nothing.

    Source: Ding et al. 2020, Eq. 6 and 7.
    """
    mean_x, mean_y = _mean(x), _mean(y)  # (B, C)
    centred_x = x - mean_x.to(x.dtype)[:, :, None, None]  # (B, C, h, w)
    centred_y = y - mean_y.to(y.dtype)[:, :, None, None]
    var_x, var_y, covariance = (
        _mean(centred_x.square()),
        _mean(centred_y.square()),
        _mean(centred_x * centred_y),
    )
    texture = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return texture, structure


def _mean(maps: Float[Tensor, "B C h w"]) -> Float64[Tensor, "B C"]:
    return maps.mean(dim=(2, 3), dtype=torch.float64)


def load_dists(backbone: Path | None, weights: Path | None = None) -> DISTS:
    """DISTS with published weights, frozen; gradients still reach the pictures.

    Args:
        backbone: torchvision's weights of VGG-16, .pth or safetensors.
        weights: DISTS's own α and β; None takes those that torchmetrics carries.

    Raises:
        ToileError: when a file is missing or holds something else.
    """
    model = DISTS()
    model.stack.load(backbone)
    path = weights or published_weights()
    tensors = read_tensors(path, WEIGHTS)
    for name, own in (("alpha", model.alpha), ("beta", model.beta)):
        own.copy_(take(tensors, name, (1, len(own), 1, 1), path, WEIGHTS).flatten())
    model.eval().requires_grad_(False)
    return model


def published_weights() -> Path:
    """Where torchmetrics keeps α and β."""
    return Path(torchmetrics.__file__).parent / "functional" / "image" / "dists_models" / "weights.pt"
