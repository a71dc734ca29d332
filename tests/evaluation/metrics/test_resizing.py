import numpy as np
import pytest
import torch
from PIL import Image

from toile.evaluation.metrics.resizing import (
    clean_resize,
    legacy_resize,
    normalised,
    padded_square,
    square_crop,
)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys's kernel with a = -0.5, which PIL uses."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def resizing_matrix(before: int, after: int) -> np.ndarray:
    """Each output pixel's weights, the kernel widened when shrinking."""
    scale = before / after
    width = max(scale, 1.0)
    centres = (np.arange(after) + 0.5) * scale
    weights = cubic((np.arange(before) + 0.5 - centres[:, None]) / width)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [(31, 20), (75, 60)])
def test_clean_resizing_is_the_widened_bicubic_filter(size: tuple[int, int]) -> None:
    picture = noise(48, 64)
    pixels = np.asarray(picture, dtype=np.float64)
    rows, columns = resizing_matrix(64, size[0]), resizing_matrix(48, size[1])
    expected = np.einsum("yh,hwc,xw->cyx", rows, pixels, columns)
    assert np.abs(clean_resize(picture, size) - expected).max() < 2e-3


def test_clean_resizing_neither_rounds_nor_clips() -> None:
    edge = np.zeros((40, 40, 3), np.uint8)
    edge[:, 20:] = 255
    resized = clean_resize(Image.fromarray(edge), (90, 90))
    assert resized.min() < -1 and resized.max() > 256
    assert resized.dtype == np.float32 and resized.shape == (3, 90, 90)


def test_legacy_resizing_looks_at_four_pixels_only() -> None:
    picture = noise(60, 80)
    resized = legacy_resize(picture, (20, 15))
    pixels = np.asarray(picture, dtype=np.float64)
    middle = pixels[1::4, 1::4] + pixels[1::4, 2::4] + pixels[2::4, 1::4] + pixels[2::4, 2::4]
    assert np.abs(resized - (middle / 4).transpose(2, 0, 1)).max() < 1e-3
    assert np.abs(resized - clean_resize(picture, (20, 15))).max() > 10


def test_the_same_size_changes_nothing() -> None:
    picture = noise(15, 20)
    pixels = np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)
    assert (clean_resize(picture, (20, 15)) == pixels).all()
    assert (legacy_resize(picture, (20, 15)) == pixels).all()


def test_square_crop_takes_the_middle() -> None:
    picture = noise(30, 40)
    assert (np.asarray(square_crop(picture, 30)) == np.asarray(picture)[5:35]).all()
    assert (np.asarray(square_crop(picture, 20, shorter=30)) == np.asarray(picture)[10:30, 5:25]).all()
    assert square_crop(noise(341, 257), 224).size == (224, 224)


def test_padding_keeps_everything_and_adds_white() -> None:
    picture = noise(10, 20)
    square = np.asarray(padded_square(picture))
    assert square.shape == (20, 20, 3)
    assert (square[:, 5:15] == np.asarray(picture)).all()
    assert (square[:, :5] == 255).all() and (square[:, 15:] == 255).all()


def test_normalised_pictures() -> None:
    pictures = [noise(8, 8, seed) for seed in range(2)]
    found = normalised(pictures, (0.5, 0.4, 0.3), (0.2, 0.25, 0.5))
    expected = (np.asarray(pictures[1])[3, 2, 1] / 255 - 0.4) / 0.25
    assert found.shape == (2, 3, 8, 8) and found.dtype == torch.float32
    assert float(found[1, 1, 3, 2]) == pytest.approx(expected, abs=1e-6)
