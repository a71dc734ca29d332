import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab

from toile.evaluation.metrics.ciede2000 import ciede2000, lab_from_srgb

SHARMA = [  # of the 34 pairs of Sharma et al. 2005, Tab. 1
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def planes(colours: np.ndarray) -> torch.Tensor:
    """N colours as a picture of N by 1 pixels."""
    return torch.from_numpy(np.asarray(colours, dtype=np.float64)).T[None, :, :, None]


def test_published_differences() -> None:
    first, second, expected = zip(*SHARMA, strict=True)
    found = ciede2000(planes(np.array(first)), planes(np.array(second))).flatten()
    assert found.tolist() == pytest.approx(expected, abs=5e-5)


def test_differences_agree_with_scikit_image() -> None:
    random = np.random.default_rng(0)
    first, second = random.uniform((0, -100, -100), (100, 100, 100), size=(2, 5000, 3))
    first[:50, 1:] = 0  # greys
    second[40:60, 1:] = 0
    found = ciede2000(planes(first), planes(second)).flatten().numpy()
    assert np.allclose(found, deltaE_ciede2000(first, second), atol=1e-9)


def test_lab_agrees_with_scikit_image() -> None:
    colours = np.random.default_rng(0).uniform(size=(1000, 3))
    colours[:3] = [[0, 0, 0], [1, 1, 1], [0.01, 0.02, 0.03]]
    found = lab_from_srgb(planes(colours))[0, :, :, 0].T.numpy()
    assert np.allclose(found, rgb2lab(colours[:, None])[:, 0], atol=2e-3)  # its constants have four digits


def test_black_white_and_their_difference() -> None:
    lab = lab_from_srgb(planes(np.array([[0.0, 0, 0], [1, 1, 1]])))
    assert lab[0, :, :, 0].T.flatten().tolist() == pytest.approx([0, 0, 0, 100, 0, 0], abs=1e-2)
    assert float(ciede2000(lab[:, :, :1], lab[:, :, 1:])) == pytest.approx(100, abs=1e-2)


def test_differences_are_symmetric_and_zero_for_equal_colours() -> None:
    random = np.random.default_rng(1)
    first, second = (planes(random.uniform((0, -90, -90), (100, 90, 90), size=(500, 3))) for _ in range(2))
    assert torch.allclose(ciede2000(first, second), ciede2000(second, first), atol=1e-9)
    assert ciede2000(first, first).abs().max() == 0
