"""The complex steerable pyramid: a picture's oriented bands, each coefficient with a magnitude and a phase.

Filters are polar-separable in the Fourier domain, pictures count as periodic. Legend: `B` pictures, `H W`
pixels, `K` orientations, `h w` coefficients of a band.

Source: Simoncelli and Freeman 1995, "The steerable pyramid: a flexible architecture for multi-scale
derivative computation"; Portilla and Simoncelli 2000, "A parametric texture model based on joint statistics
of complex wavelet coefficients", Sec. 2.1, for the complex bands (each spectrum's half plane alone).
"""

import math

import torch
from jaxtyping import Complex128, Float64
from torch import Tensor


def oriented_bands(
    pictures: Float64[Tensor, "B H W"], *, level: int, orientations: int
) -> Complex128[Tensor, "B K h w"]:
    """The bands of one level, each at that level's size.

    Args:
        pictures: one channel, in any range; coefficients have the same unit.
        level: 1 for the finest, at the full size; every further one has half the size, rounded up.
        orientations: how many, at equal angles; band k prefers waves along the angle πk / K.
    """
    spectrum = torch.fft.fftshift(torch.fft.fft2(pictures), dim=(-2, -1))  # (B, H, W)
    octaves, angle = _polar_grid(pictures)
    spectrum = spectrum * _low_pass(octaves)
    for step in range(1, level):
        rows, columns = (_central_half(side) for side in octaves.shape)
        spectrum, octaves, angle = spectrum[:, rows, columns], octaves[rows, columns], angle[rows, columns]
        spectrum = spectrum * _low_pass(octaves + step)  # (B, h, w)
    filters = _high_pass(octaves + level) * _angular(angle, orientations)  # (K, h, w)
    bands = torch.fft.ifftshift(spectrum[:, None] * filters, dim=(-2, -1)) * (-1j) ** (orientations - 1)
    scale = angle.numel() / pictures[0].numel()  # a smaller transform sums fewer frequencies
    coefficients: Tensor = torch.fft.ifft2(bands) * scale
    return coefficients


def _polar_grid(pictures: Float64[Tensor, "B H W"]) -> tuple[Float64[Tensor, "H W"], Float64[Tensor, "H W"]]:
    """Frequencies with 0 in the middle: octaves below the highest along an axis (≤ 0 there), and angle."""
    down, across = (
        (torch.arange(side, dtype=torch.float64, device=pictures.device) - side // 2) / (side / 2)
        for side in pictures.shape[-2:]
    )
    angle = torch.atan2(down[:, None], across[None, :])
    return torch.log2(torch.hypot(down[:, None], across[None, :])), angle


def _central_half(side: int) -> slice:
    """The middle half of a shifted axis, frequency 0 again in its middle."""
    half = (side + 1) // 2
    start = side // 2 - half // 2
    return slice(start, start + half)


def _high_pass(octaves: Float64[Tensor, "h w"]) -> Float64[Tensor, "h w"]:
    """0 below -1, 1 above 0, a raised cosine between; its square and the low pass's add up to 1."""
    return torch.cos(math.pi / 2 * octaves.clamp(-1, 0))


def _low_pass(octaves: Float64[Tensor, "h w"]) -> Float64[Tensor, "h w"]:
    return torch.sin(-math.pi / 2 * octaves.clamp(-1, 0))


def _angular(angle: Float64[Tensor, "h w"], orientations: int) -> Float64[Tensor, "K h w"]:
    """2 √α cos(θ - πk / K)^(K - 1) on band k's half plane, 0 on the other.

    α is such that without the 2, the squares of all bands on both half planes would add up to 1.

    Source: Portilla and Simoncelli 2000, Sec. 2.1.
    """
    order = orientations - 1
    gain = 2 * 2**order * math.factorial(order) / math.sqrt(orientations * math.factorial(2 * order))
    preferred = torch.arange(orientations, dtype=angle.dtype, device=angle.device) * math.pi / orientations
    cosine = torch.cos(angle - preferred[:, None, None])  # (K, h, w)
    response: Tensor = gain * cosine.clamp(min=0) ** order
    return response
