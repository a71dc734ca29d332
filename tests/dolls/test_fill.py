import numpy as np
import pytest

from toile.dolls.fill import SMALL, fill_polygons


@pytest.mark.parametrize("side", [20, 200])
def test_the_area_is_the_polygons(side):
    low, high = side * 0.25, side * 0.75
    square = np.array([(low, low), (high, low), (high, high), (low, high)]) - 0.5
    mask = fill_polygons([square], (side, side))
    assert mask.sum() / 255 == pytest.approx((side / 2) ** 2, rel=0.06 if side * side <= SMALL else 0.03)


def test_holes_are_cut_out():
    outer = np.array([(2, 2), (18, 2), (18, 18), (2, 18)], float)
    inner = np.array([(6, 6), (14, 6), (14, 14), (6, 14)], float)
    mask = fill_polygons([outer, inner], (20, 20), [False, True])
    assert mask[10, 10] == 0
    assert mask[4, 4] == 255
