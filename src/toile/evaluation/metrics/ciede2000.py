"""The CIEDE2000 colour difference, and sRGB as CIELAB. Everything is float64.

Legend: L* lightness, 0 to 100; a*, b* colour axes; C chroma, h hue.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
"""Linear RGB with sRGB's primaries and white as XYZ (ITU-R BT.709, D65)."""
WHITE_POINT = (0.95047, 1.0, 1.08883)
"""XYZ of D65 for the 2° observer."""


def lab_from_srgb(pictures: Float[Tensor, "B 3 H W"]) -> Float64[Tensor, "B 3 H W"]:
    """L*, a*, b* of sRGB in [0, 1], for D65 and the 2° observer.

    Source: IEC 61966-2-1 (sRGB's curve); CIE 15:2004 (CIELAB).
    """
    rgb = pictures.double()
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    matrix = rgb.new_tensor(XYZ_FROM_RGB) / rgb.new_tensor(WHITE_POINT)[:, None]
    xyz = torch.einsum("xc,bchw->bxhw", matrix, linear)  # 1 is white
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-12) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def ciede2000(
    first: Float64[Tensor, "B 3 H W"], second: Float64[Tensor, "B 3 H W"]
) -> Float64[Tensor, "B H W"]:
    """ΔE₀₀ of two pictures in CIELAB, pixel by pixel: 0 for equal colours, about 1 where an eye sees it.

    The parametric factors k_L, k_C and k_H are 1.

    Source: Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula: implementation notes,
    supplementary test data, and mathematical observations", Eq. 2 to 22.
    """
    (l1, a1, b1), (l2, a2, b2) = first.unbind(dim=1), second.unbind(dim=1)
    mean_chroma = (torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma)  # 1 + G, Eq. 4
    c1, c2 = torch.hypot(stretch * a1, b1), torch.hypot(stretch * a2, b2)
    h1, h2 = _hue(stretch * a1, b1), _hue(stretch * a2, b2)

    turn = _hue_difference(c1 * c2, h1, h2)  # Δh', degrees
    delta_hue = 2 * (c1 * c2).sqrt() * torch.sin(torch.deg2rad(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = _mean_hue(c1 * c2, h1, h2)

    from_middle = (lightness - 50).square()
    s_l = 1 + 0.015 * from_middle / (20 + from_middle).sqrt()
    s_c = 1 + 0.045 * chroma
    s_h = 1 + 0.015 * chroma * _hue_weight(hue)
    rotation = -2 * _saturation(chroma) * torch.sin(torch.deg2rad(60 * torch.exp(-(((hue - 275) / 25) ** 2))))

    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_hue / s_h
    return (dl.square() + dc.square() + dh.square() + rotation * dc * dh).clamp(min=0).sqrt()


def _saturation(chroma: Float64[Tensor, "B H W"]) -> Float64[Tensor, "B H W"]:
    """√(C⁷ / (C⁷ + 25⁷)), Eq. 4 and 21."""
    power = (chroma / 25) ** 7
    return (power / (power + 1)).sqrt()


def _hue(a: Float64[Tensor, "B H W"], b: Float64[Tensor, "B H W"]) -> Float64[Tensor, "B H W"]:
    """In degrees, 0 to 360; 0 for greys, Eq. 7."""
    return torch.rad2deg(torch.atan2(b, a)) % 360


def _hue_difference(
    chromas: Float64[Tensor, "B H W"], h1: Float64[Tensor, "B H W"], h2: Float64[Tensor, "B H W"]
) -> Float64[Tensor, "B H W"]:
    """From the first hue to the second the short way round, -180 to 180; 0 where either is grey, Eq. 10."""
    difference = h2 - h1
    difference = difference - 360 * (difference > 180) + 360 * (difference < -180)
    return torch.where(chromas == 0, torch.zeros_like(difference), difference)


def _mean_hue(
    chromas: Float64[Tensor, "B H W"], h1: Float64[Tensor, "B H W"], h2: Float64[Tensor, "B H W"]
) -> Float64[Tensor, "B H W"]:
    """The middle of the short way; the sum where either is grey, Eq. 14."""
    total = h1 + h2
    around = torch.where(total < 360, total + 360, total - 360) / 2
    mean = torch.where((h1 - h2).abs() > 180, around, total / 2)
    return torch.where(chromas == 0, total, mean)


def _hue_weight(hue: Float64[Tensor, "B H W"]) -> Float64[Tensor, "B H W"]:
    """T of Eq. 15."""
    return (
        1
        - 0.17 * torch.cos(torch.deg2rad(hue - 30))
        + 0.24 * torch.cos(torch.deg2rad(2 * hue))
        + 0.32 * torch.cos(torch.deg2rad(3 * hue + 6))
        - 0.20 * torch.cos(torch.deg2rad(4 * hue - 63))
    )
