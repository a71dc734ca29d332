"""DISTS's pooling layer."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d


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
