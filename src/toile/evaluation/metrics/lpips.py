"""LPIPS: how far two pictures lie apart in a classifier's features, channels weighted as people judge."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import torch
import torchmetrics
from jaxtyping import Float
from torch import Tensor, nn

from toile.evaluation.metrics.alexnet import alexnet
from toile.evaluation.metrics.feature_stack import FeatureStack
from toile.evaluation.metrics.published_weights import PublishedFile, read_tensors, take
from toile.evaluation.metrics.squeezenet import squeezenet
from toile.evaluation.metrics.vgg import vgg16

Network = Literal["alex", "vgg", "squeeze"]
NETWORKS: Mapping[Network, Callable[[], FeatureStack]] = {
    "alex": alexnet,
    "vgg": vgg16,
    "squeeze": squeezenet,
}
SHIFT = (-0.030, -0.088, -0.188)
"""What LPIPS takes from R, G and B in [-1, 1] (ImageNet's mean)."""
SCALE = (0.458, 0.448, 0.450)
"""What it divides them by (ImageNet's standard deviation)."""
HEADS = PublishedFile(
    network="LPIPS's heads, version 0.1",
    source="the wheel of torchmetrics (torchmetrics/functional/image/lpips_models)",
)


class LPIPS(nn.Module):
    """LPIPS version 0.1 on one of its three networks.

    Source: Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric".
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, network: Network) -> None:
        """Make it with random weights; `load_lpips` gives one to measure with."""
        super().__init__()
        self.stack = NETWORKS[network]()
        self.heads = nn.ParameterList(torch.rand(width) for width in self.stack.channels)
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None], persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None], persistent=False)

    def forward(
        self, predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, " B"]:
        """The distance of pictures in [0, 1]: 0 for equal pictures, lower is better."""
        mine, true = (
            self.stack((2 * pictures - 1 - self.shift) / self.scale) for pictures in (predictions, targets)
        )
        return lpips_formula(mine, true, list(self.heads))


def lpips_formula(
    features_x: Sequence[Float[Tensor, "B _ _ _"]],
    features_y: Sequence[Float[Tensor, "B _ _ _"]],
    heads: Sequence[Float[Tensor, " _"]],
) -> Float[Tensor, " B"]:
    """Σ_l mean_hw Σ_c w_lc (x̂_lchw - ŷ_lchw)², with x̂ and ŷ of length 1 at every place.

    Args:
        features_x: the feature maps of each layer, (B, C_l, h_l, w_l).
        features_y: those of the other pictures, of the same shapes.
        heads: the weight w of each channel of each layer, 0 or more.

    Source: Zhang et al. 2018, Eq. 1 (whose w is the root of this one).
    """
    layers = [
        torch.einsum("bchw,c->bhw", (_unit(x) - _unit(y)).square(), head).mean(dim=(1, 2))
        for x, y, head in zip(features_x, features_y, heads, strict=True)
    ]
    return torch.stack(layers).sum(dim=0)


def _unit(features: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C h w"]:
    """Each place's vector at length 1; LPIPS's code, version 0.1, keeps it off 0 by 1e-10."""
    length = features.square().sum(dim=1, keepdim=True).sqrt()
    return features / (length + 1e-10)


def load_lpips(network: Network, backbone: Path | None, heads: Path | None = None) -> LPIPS:
    """LPIPS with published weights, frozen.

    Args:
        network: which of the three.
        backbone: torchvision's weights of the network, .pth or safetensors.
        heads: LPIPS's own weights of the network; None takes those that torchmetrics carries.

    Raises:
        ToileError: when a file is missing or holds something else.
    """
    model = LPIPS(network)
    model.stack.load(backbone)
    path = heads or published_heads(network)
    tensors = read_tensors(path, HEADS)
    for number, head in enumerate(model.heads):
        name = f"lin{number}.model.1.weight"
        head.data.copy_(take(tensors, name, (1, len(head), 1, 1), path, HEADS).flatten())
    model.eval().requires_grad_(False)
    return model


def published_heads(network: Network) -> Path:
    """Where torchmetrics keeps the heads of a network."""
    return Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models" / f"{network}.pth"
