import numpy as np
import pytest
from scipy import ndimage

from toile.data.region_shapes import box, closed, grown, hull, lowered


@pytest.fixture
def blobs() -> np.ndarray:
    region = np.zeros((40, 60), bool)
    region[10:14, 10:14] = region[20:22, 40:50] = True
    return region


def test_dilation_is_round_and_as_far_as_asked(blobs):
    expected = ndimage.distance_transform_edt(~blobs) <= 6
    found = grown(blobs, 6.2)
    assert (found != expected).mean() < 0.01
    assert (grown(blobs, 0.4) == blobs).all()
    assert not grown(np.zeros((5, 5), bool), 3).any()


def test_hull_and_box(blobs):
    hulled, boxed = hull(blobs), box(blobs)
    assert (hulled >= blobs).all() and (boxed >= hulled).all()
    assert hulled[16, 28] and not hulled[11, 48]
    assert boxed.sum() == 12 * 40 and boxed[10:22, 10:50].all()
    for shape in (hull, box):
        assert not shape(np.zeros((5, 5), bool)).any()


def test_moving_down_keeps_what_stays_in_the_picture(blobs):
    assert (lowered(blobs, 5)[5:] == blobs[:-5]).all() and not lowered(blobs, 5)[:5].any()
    assert not lowered(blobs, 1000)[:-1].any()


def test_narrow_gaps_are_filled_and_wide_ones_are_not():
    legs = np.zeros((10, 40), bool)
    legs[:, 2:10] = legs[:, 16:24] = legs[:, 36:] = True
    filled = closed(legs, 8)
    assert filled[:, 2:24].all() and not filled[:, 25:35].any() and filled[:, 36:].all()
    assert not filled[:, :2].any()
