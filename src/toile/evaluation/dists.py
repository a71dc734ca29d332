"""DISTS's formula, on any list of feature maps.

Source: Ding et al. 2020, "Image quality assessment: unifying structure and texture similarity".
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

C1 = 1e-6
C2 = 1e-6


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
    total = sum(
        (a.double().sum() + b.double().sum() for a, b in zip(alpha, beta, strict=True)), torch.zeros(())
    )
    similarity = torch.zeros(len(features_x[0]), dtype=torch.float64)
    for x, y, a, b in zip(features_x, features_y, alpha, beta, strict=True):
        texture, structure = texture_and_structure(x.double(), y.double())  # (B, C) each
        similarity = similarity.to(x.device) + texture @ a.double() + structure @ b.double()
    return (1 - similarity / total.to(similarity.device)).to(features_x[0].dtype)


def texture_and_structure(
    x: Float[Tensor, "B C h w"], y: Float[Tensor, "B C h w"]
) -> tuple[Float[Tensor, "B C"], Float[Tensor, "B C"]]:
    """The two similarities l and s of each channel, at most 1.

    Source: Ding et al. 2020, Eq. 6 and 7.
    """
    mean_x, mean_y = x.mean(dim=(2, 3)), y.mean(dim=(2, 3))  # (B, C)
    var_x, var_y = x.var(dim=(2, 3), correction=0), y.var(dim=(2, 3), correction=0)
    covariance = (x * y).mean(dim=(2, 3)) - mean_x * mean_y
    texture = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    structure = (2 * covariance + C2) / (var_x + var_y + C2)
    return texture, structure


class HanningPool(nn.Module):
    """Halves a feature map without aliasing: the root of the blurred square, as DISTS pools.

    Source: Ding et al. 2020, Sec. 3.1 (l2 pooling with a Hanning window).
    """

    kernel: Tensor

    def __init__(self) -> None:
        """Make the 3×3 window."""
        super().__init__()
        window = torch.hann_window(5, periodic=False)[1:-1]
        kernel = torch.outer(window, window)
        self.register_buffer("kernel", (kernel / kernel.sum())[None, None], persistent=False)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        """Blur the square with stride 2, and take the root."""
        channels = features.shape[1]
        kernel = self.kernel.to(features.dtype).expand(channels, 1, 3, 3)
        blurred = conv2d(features.square(), kernel, stride=2, padding=1, groups=channels)  # (B, C, H/2, W/2)
        return (blurred + 1e-12).sqrt()
