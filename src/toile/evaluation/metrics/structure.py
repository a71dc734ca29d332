"""Per-image metrics of structure, as pure functions: PSNR, SSIM, MS-SSIM and CW-SSIM, all in float64.

Pictures are RGB, (B, 3, H, W), from 0 to `data_range`. Each function returns one number for each picture.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import avg_pool2d

from toile.errors import ToileError
from toile.evaluation.metrics.steerable_pyramid import oriented_bands

WINDOW = 11
"""Width of SSIM's Gaussian window, in pixels."""
SIGMA = 1.5
"""Its standard deviation, in pixels."""
K1 = 0.01
K2 = 0.03
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""MS-SSIM's exponents from the finest scale to the coarsest (Wang et al. 2003, Sec. 3.2)."""
MS_SSIM_SMALLEST = WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)
"""The window has to fit into the coarsest scale."""
CW_LEVEL = 4
"""CW-SSIM compares the bands of this level of the pyramid: an eighth of the picture's size."""
CW_ORIENTATIONS = 8
CW_WINDOW = 7
"""Width of CW-SSIM's uniform window, in coefficients."""
CW_SMALLEST = 64
"""A pyramid of four levels asks for that many pixels."""
CW_STABILISER = 1e-3
"""In parts of the data range; see `cw_ssim`."""
LUMA = (0.299, 0.587, 0.114)
"""Brightness of R, G and B (ITU-R BT.601)."""


def psnr(
    predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"], *, data_range: float
) -> Float64[Tensor, " B"]:
    """Peak signal-to-noise ratio over the whole picture and all channels, in dB; infinite if equal."""
    error = (predictions.double() - targets.double()).square().mean(dim=(1, 2, 3))  # (B,)
    return 10 * torch.log10(data_range**2 / error)


def ssim(
    predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"], *, data_range: float
) -> Float64[Tensor, " B"]:
    """Structural similarity over the whole picture, -1 to 1; higher is better.

    Gaussian window, 11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03, over RGB; averaged where the window is inside
    the picture, as its authors and scikit-image do (torchmetrics' own mean takes in the padded border).

    Raises:
        ToileError: when the pictures are smaller than the window.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
    """
    _refuse_small(predictions, WINDOW, "SSIM")
    luminance, structure = _similarity_maps(predictions.double(), targets.double(), data_range)
    return (luminance * structure).mean(dim=(1, 2, 3))


def ms_ssim(
    predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"], *, data_range: float
) -> Float64[Tensor, " B"]:
    """Structural similarity over five scales, 0 to 1; higher is better.

    The product over scales of the mean contrast-structure term, at the coarsest scale of the mean SSIM, each
    to its exponent; each scale is the 2×2 average of the last. Window and constants are those of `ssim`.
    Ours: means are taken over RGB before the product, and negative ones count as 0, as torchmetrics does, for
    a negative number has no such power.

    Raises:
        ToileError: when a side of the pictures is below 176 pixels.

    Source: Wang, Simoncelli and Bovik 2003, "Multi-scale structural similarity for image quality assessment",
    Eq. 7.
    """
    _refuse_small(predictions, MS_SSIM_SMALLEST, "MS-SSIM")
    x, y = predictions.double(), targets.double()
    product = x.new_ones(len(x))  # (B,)
    for scale, weight in enumerate(SCALE_WEIGHTS, start=1):
        luminance, structure = _similarity_maps(x, y, data_range)
        last = scale == len(SCALE_WEIGHTS)
        mean = (luminance * structure if last else structure).mean(dim=(1, 2, 3))  # (B,)
        product = product * mean.clamp(min=0) ** weight
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)  # (B, 3, H/2, W/2)
    return product


def cw_ssim(
    predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"], *, data_range: float
) -> Float64[Tensor, " B"]:
    """Complex-wavelet structural similarity, 0 to 1; higher is better. Small shifts cost little.

    With c_x and c_y the complex coefficients inside a uniform 7×7 window, of one orientation at one level of
    the steerable pyramid: (2 |Σ c_x c_y*| + K) / (Σ |c_x|² + Σ |c_y|² + K). The map of each orientation is
    averaged with a Gaussian at the picture's centre, sigma a quarter of the band's height; then over the
    orientations. Level 4, 8 orientations, brightness alone (Y, BT.601): what the authors' published code
    computes with `level` 4 and `or` 8, which is what the IQA-PyTorch toolbox calls `cw_ssim`.

    Ours: sums are means over the window, and K = (0.001 data range)², where the authors' code has K = 0: with
    that, two equal white grounds would score whatever their rounding errors do.

    Raises:
        ToileError: when a side of the pictures is below 64 pixels.

    Source: Sampat et al. 2009, "Complex wavelet structural similarity: a new image similarity index", Eq. 8.
    """
    _refuse_small(predictions, CW_SMALLEST, "CW-SSIM")
    both = torch.cat([predictions, targets]).double() / data_range  # (2B, 3, H, W)
    brightness = torch.einsum("bchw,c->bhw", both, both.new_tensor(LUMA))  # (2B, H, W)
    bands = oriented_bands(brightness, level=CW_LEVEL, orientations=CW_ORIENTATIONS)  # (2B, K, h, w)
    x, y = bands.chunk(2)
    product = x * y.conj()
    agreement = torch.hypot(_box_means(product.real), _box_means(product.imag))  # (B, K, h - 6, w - 6)
    energy = _box_means(x.abs().square() + y.abs().square())
    similarity = (2 * agreement + CW_STABILISER**2) / (energy + CW_STABILISER**2)
    weights = _centre_weights(similarity, sigma=bands.shape[-2] / 4)  # (h - 6, w - 6)
    return (similarity * weights).sum(dim=(2, 3)).mean(dim=1)


def _similarity_maps(
    x: Float64[Tensor, "B C H W"], y: Float64[Tensor, "B C H W"], data_range: float
) -> tuple[Float64[Tensor, "B C h w"], Float64[Tensor, "B C h w"]]:
    """SSIM's two factors wherever the window fits: luminance, and contrast times structure.

    Source: Wang et al. 2004, Eq. 6, and Eq. 9 times 10 with C₃ = C₂ / 2.
    """
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y, square_x, square_y, product = _gaussian_means(
        torch.stack([x, y, x.square(), y.square(), x * y])
    )
    var_x, var_y = square_x - mean_x.square(), square_y - mean_y.square()
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return luminance, structure


def _gaussian_means(maps: Float64[Tensor, "S B C H W"]) -> Float64[Tensor, "S B C h w"]:
    """Means under SSIM's window, wherever it fits."""
    distance = torch.arange(WINDOW, dtype=maps.dtype, device=maps.device) - WINDOW // 2
    weights = torch.exp(-distance.square() / (2 * SIGMA**2))
    weights = weights / weights.sum()
    for axis in (3, 4):  # sums of shifted maps: torch's float64 convolutions take ten times as long
        fits = maps.shape[axis] - WINDOW + 1
        means = weights[0] * maps.narrow(axis, 0, fits)
        for start in range(1, WINDOW):
            means.add_(maps.narrow(axis, start, fits), alpha=float(weights[start]))
        maps = means
    return maps


def _box_means(bands: Float64[Tensor, "B K h w"]) -> Float64[Tensor, "B K _ _"]:
    """Means under CW-SSIM's window, wherever it fits."""
    return avg_pool2d(bands, CW_WINDOW, stride=1)


def _centre_weights(maps: Float64[Tensor, "B K h w"], sigma: float) -> Float64[Tensor, "h w"]:
    """A Gaussian at the centre that sums up to 1."""
    across, down = (
        torch.arange(side, dtype=maps.dtype, device=maps.device) - (side - 1) / 2
        for side in (maps.shape[3], maps.shape[2])
    )
    weights = torch.exp(-(across[None, :].square() + down[:, None].square()) / (2 * sigma**2))
    return weights / weights.sum()


def _refuse_small(pictures: Tensor, smallest: int, name: str) -> None:
    height, width = pictures.shape[-2:]
    if min(height, width) < smallest:
        raise ToileError(
            f"{name} needs pictures of at least {smallest} pixels a side, not {width}×{height}; "
            "measure larger pictures, or leave it out"
        )
