import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tests.evaluation.pictures import blurred
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from toile.errors import ToileError
from toile.evaluation.metrics import cw_ssim, ms_ssim, psnr, ssim

METRICS = [psnr, ssim, ms_ssim, cw_ssim]


def pair(height: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft blotches, and the same with noise, in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    true = blurred(torch.rand(2, 3, height, width, generator=generator), 5)
    true = (true - true.amin()) / (true.amax() - true.amin())
    return (true + 0.1 * torch.randn(true.shape, generator=generator)).clamp(0, 1), true


NOISY, TRUE = pair(184, 192)


def as_array(picture: torch.Tensor) -> np.ndarray:
    return picture.double().movedim(0, -1).numpy()


def test_psnr_agrees_with_scikit_image() -> None:
    expected = [
        peak_signal_noise_ratio(as_array(true), as_array(mine), data_range=1.0)
        for mine, true in zip(NOISY, TRUE, strict=True)
    ]
    assert psnr(NOISY, TRUE, data_range=1.0).tolist() == pytest.approx(expected, rel=1e-9)


def test_ssim_agrees_with_scikit_image() -> None:
    expected = [
        structural_similarity(
            as_array(mine),
            as_array(true),
            data_range=1.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for mine, true in zip(NOISY, TRUE, strict=True)
    ]
    assert ssim(NOISY, TRUE, data_range=1.0).tolist() == pytest.approx(expected, abs=1e-9)


def direct_ms_ssim(mine: np.ndarray, true: np.ndarray) -> float:
    """Wang et al. 2003, Eq. 7, with scipy's filters."""
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(picture: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(picture, window, axis=0), window, axis=1)[5:-5, 5:-5]

    product, exponents = 1.0, (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for scale, exponent in enumerate(exponents):
        x, y = mean(mine), mean(true)
        covariance = mean(mine * true) - x * y
        term = (2 * covariance + 0.03**2) / (mean(mine**2) - x**2 + mean(true**2) - y**2 + 0.03**2)
        if scale == 4:
            term = term * (2 * x * y + 0.01**2) / (x**2 + y**2 + 0.01**2)
        product *= term.mean() ** exponent
        rows, columns = (side // 2 * 2 for side in mine.shape[:2])
        mine, true = (sum(p[a:rows:2, b:columns:2] for a in (0, 1) for b in (0, 1)) / 4 for p in (mine, true))
    return product


def test_ms_ssim_agrees_with_the_formula_written_out() -> None:
    expected = [
        direct_ms_ssim(as_array(mine), as_array(true)) for mine, true in zip(NOISY, TRUE, strict=True)
    ]
    assert ms_ssim(NOISY, TRUE, data_range=1.0).tolist() == pytest.approx(expected, abs=1e-9)


def test_ms_ssim_differs_from_torchmetrics_by_the_coarsest_border_alone() -> None:
    theirs = multiscale_structural_similarity_index_measure(
        NOISY.double(), TRUE.double(), data_range=1.0, reduction="none"
    )
    assert ms_ssim(NOISY, TRUE, data_range=1.0).tolist() == pytest.approx(theirs.tolist(), abs=0.01)


def direct_cw_ssim(mine: np.ndarray, true: np.ndarray) -> float:
    """Sampat et al. 2009, Eq. 8: each band filtered at the full size, every eighth coefficient taken."""
    first, second = full_size_bands(mine), full_size_bands(true)
    scores = []
    for x, y in zip(first, second, strict=True):
        height, width = x.shape[0] - 6, x.shape[1] - 6
        total = weight_sum = 0.0
        for row in range(height):
            for column in range(width):
                p, q = x[row : row + 7, column : column + 7], y[row : row + 7, column : column + 7]
                energy = (abs(p) ** 2 + abs(q) ** 2).mean()
                similarity = (2 * abs((p * q.conj()).mean()) + 1e-6) / (energy + 1e-6)
                away = (row - (height - 1) / 2) ** 2 + (column - (width - 1) / 2) ** 2
                weight = np.exp(-away / (2 * (x.shape[0] / 4) ** 2))
                total, weight_sum = total + weight * similarity, weight_sum + weight
        scores.append(total / weight_sum)
    return float(np.mean(scores))


def full_size_bands(picture: np.ndarray) -> list[np.ndarray]:
    brightness = picture @ np.array([0.299, 0.587, 0.114])
    v, u = (2 * np.fft.fftfreq(side) for side in brightness.shape)  # 1 is the highest frequency
    with np.errstate(divide="ignore"):
        octaves = np.log2(np.hypot(v[:, None], u[None, :]))
    angle = np.arctan2(v[:, None], u[None, :])
    high = [np.cos(np.pi / 2 * np.clip(octaves + step, -1, 0)) for step in range(5)]
    radial = high[4] * np.prod([np.sqrt(1 - mask**2) for mask in high[:4]], axis=0)
    gain = 2 * np.sqrt(2**14 * 5040**2 / (8 * 87178291200))  # 7! and 14!
    bands = []
    for number in range(8):
        cosine = np.cos(angle - np.pi * number / 8)
        one_sided = np.where(cosine > 0, gain * cosine**7, 0)
        bands.append(np.fft.ifft2(np.fft.fft2(brightness) * radial * one_sided * (-1j) ** 7)[::8, ::8])
    return bands


@pytest.mark.parametrize("size", [(96, 128), (184, 80)])
def test_cw_ssim_agrees_with_the_formula_written_out(size: tuple[int, int]) -> None:
    noisy, true = pair(*size)
    expected = [direct_cw_ssim(as_array(m), as_array(t)) for m, t in zip(noisy, true, strict=True)]
    assert cw_ssim(noisy, true, data_range=1.0).tolist() == pytest.approx(expected, abs=1e-9)
    assert 0.1 < expected[0] < 0.99


def test_cw_ssim_forgives_a_shift() -> None:
    shifted = TRUE.roll(1, dims=3)
    assert (cw_ssim(shifted, TRUE, data_range=1.0) > 0.97).all()
    assert (ssim(shifted, TRUE, data_range=1.0) < 0.9).all()


def test_cw_ssim_of_white_grounds_does_not_look_at_rounding() -> None:
    white = torch.ones(1, 3, 96, 80)
    rounded = white - torch.randint(0, 2, white.shape, generator=torch.Generator().manual_seed(0)) / 255
    assert float(cw_ssim(rounded, white, data_range=1.0)) > 0.99


def test_cw_ssim_takes_odd_sizes() -> None:
    noisy, true = pair(97, 67)
    assert cw_ssim(true, true, data_range=1.0).tolist() == pytest.approx([1, 1])
    assert (cw_ssim(noisy, true, data_range=1.0) < 0.99).all()


@pytest.mark.parametrize("metric", METRICS)
def test_the_data_range_is_honoured(metric) -> None:
    assert metric(NOISY.double() * 255, TRUE.double() * 255, data_range=255.0).tolist() == pytest.approx(
        metric(NOISY, TRUE, data_range=1.0).tolist(), rel=1e-6
    )


@pytest.mark.parametrize("metric", METRICS)
def test_values_are_float64_and_best_for_equal_pictures(metric) -> None:
    best = metric(TRUE, TRUE, data_range=1.0)
    assert best.dtype == torch.float64
    assert best.tolist() == pytest.approx([float("inf") if metric is psnr else 1.0] * 2)


@pytest.mark.parametrize("metric", METRICS)
def test_more_noise_is_worse(metric) -> None:
    noise = torch.randn(TRUE.shape, generator=torch.Generator().manual_seed(2))
    scores = [metric(TRUE + amount * noise, TRUE, data_range=1.0) for amount in (0.02, 0.1, 0.4)]
    assert (scores[0] > scores[1]).all() and (scores[1] > scores[2]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_pictures_are_measured_independently(metric) -> None:
    alone = [metric(NOISY[i : i + 1], TRUE[i : i + 1], data_range=1.0) for i in range(2)]
    assert metric(NOISY, TRUE, data_range=1.0).tolist() == pytest.approx(torch.cat(alone).tolist(), abs=1e-9)


def test_reversed_pictures_score_below_zero_but_not_at_many_scales() -> None:
    assert (ssim(1 - TRUE, TRUE, data_range=1.0) < 0).all()
    assert ms_ssim(1 - TRUE, TRUE, data_range=1.0).tolist() == [0, 0]


@pytest.mark.parametrize(("metric", "smallest"), [(ssim, 11), (ms_ssim, 176), (cw_ssim, 64)])
def test_pictures_that_are_too_small_are_refused(metric, smallest: int) -> None:
    just = torch.rand(1, 3, smallest, smallest + 3, generator=torch.Generator().manual_seed(0))
    assert metric(just, just, data_range=1.0).tolist() == pytest.approx([1])
    with pytest.raises(ToileError, match=f"at least {smallest} pixels a side, not {smallest - 1}×200"):
        metric(torch.rand(1, 3, 200, smallest - 1), torch.rand(1, 3, 200, smallest - 1), data_range=1.0)
