import cv2
import numpy as np
import pytest

from toile.data.garment_shape import (
    asymmetry,
    cut_out,
    extreme_proportion,
    side_view,
    slope,
    torso_box,
)

EMPTY = np.zeros((64, 48), bool)


def block(height: int, width: int, shear: float = 0.0, size: tuple[int, int] = (256, 192)) -> np.ndarray:
    """A block in the middle of a picture, sheared: `shear` pixels down per pixel to the right."""
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    corners[:, 1] += shear * corners[:, 0]
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [np.rint(corners + np.array(size[::-1]) / 2).astype(np.int32)], 1)
    return mask > 0


def test_cut_out():
    mask = EMPTY.copy()
    mask[3:7, 5:6] = True
    assert cut_out(mask).shape == (4, 1) and cut_out(EMPTY).size == 0


@pytest.mark.parametrize("shear", [0.0, 0.1, 0.24])
def test_the_slope_is_the_shear(shear):
    assert slope(block(180, 120, shear)) == pytest.approx(shear, abs=0.02)
    assert slope(block(180, 120, -shear)) == pytest.approx(shear, abs=0.02)
    assert slope(EMPTY) == 0


def test_asymmetry():
    half = block(100, 100)
    half[:, :60] = False
    lopsided = half.copy()
    lopsided[128:, 60:96] = False  # the lower left quarter is gone
    assert asymmetry(block(100, 100)) == asymmetry(EMPTY) == 0
    assert 0.3 < asymmetry(lopsided) < 0.7


def test_a_side_view_stands_out_from_front_views():
    assert side_view(block(180, 120)) < 0.05
    assert side_view(block(180, 60, 0.12)) > 0.5
    assert side_view(block(180, 60, 0.9)) == 1


@pytest.mark.parametrize(
    ("height", "width", "extreme"),
    [(230, 150, False), (100, 170, False), (110, 90, True), (230, 60, True), (60, 180, True)],
)
def test_extreme_proportions_are_small_narrow_or_wide(height, width, extreme):
    assert (extreme_proportion(block(height, width)) > 0.2) == extreme


def test_nothing_is_as_extreme_as_it_gets():
    assert extreme_proportion(EMPTY) == 1


def test_the_torso_is_told_from_sleeves_that_hang_beside_it():
    shirt = block(200, 80)
    shirt[28:60, 20:172] = True  # shoulders
    shirt[60:180, 20:40] = shirt[60:180, 152:172] = True  # sleeves
    left, top, right, bottom = torso_box(shirt)
    assert (left, right) == pytest.approx((56, 136), abs=1)
    assert (top, bottom) == pytest.approx((28, 228), abs=1)
