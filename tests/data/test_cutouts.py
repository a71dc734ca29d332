import numpy as np
import pytest
from PIL import Image
from tests.data.small_parser import BOXES, figure, lip_labels

from toile.data.cutouts import MARGIN, cut_out, garment_region
from toile.data.parse_labels import LIP
from toile.errors import ToileError


@pytest.fixture
def worn() -> tuple[Image.Image, Image.Image]:
    """A photo and its parse map."""
    photo, labels = figure()
    return photo, Image.fromarray(lip_labels(labels))


def test_a_garment_is_cut_out_on_white_and_centred(worn):
    photo, parse = worn
    cut = cut_out(photo, parse, "upper")
    left, top, right, bottom = BOXES[2]
    region = np.asarray(cut.worn) > 0
    assert region.sum() == (right - left) * (bottom - top) and region[top:bottom, left:right].all()
    assert cut.picture.size == photo.size and not cut.truncated
    pixels = np.asarray(cut.picture).astype(int)
    coloured = (pixels < 250).any(axis=2)
    rows, columns = np.nonzero(coloured)
    assert abs(columns.mean() - 31.5) < 1 and abs(rows.mean() - 47.5) < 1
    assert columns.max() - columns.min() + 1 == pytest.approx((1 - 2 * MARGIN) * 64, abs=2)
    assert abs(pixels[48, 32] - (200, 30, 40)).max() < 25


def test_the_frame_cuts_garments_off(worn):
    photo, parse = (picture.crop((0, 0, 64, 70)) for picture in worn)
    assert cut_out(photo, parse, "lower").truncated and not cut_out(photo, parse, "upper").truncated


def test_what_is_hardly_seen_is_not_cut_out(worn):
    assert cut_out(*worn, "hat") is None and cut_out(*worn, "dress") is None
    few = (picture.crop((0, 0, 64, 56)) for picture in worn)
    assert cut_out(*few, "lower") is None


def test_specks_are_left_out():
    parse = np.zeros((50, 50), np.uint8)
    parse[10:30, 10:30], parse[40:43, 40:43], parse[35:45, 5:15] = LIP["upper"], LIP["upper"], LIP["coat"]
    region = garment_region(parse, "upper")
    assert region[10:30, 10:30].all() and region[35:45, 5:15].all() and not region[40:43, 40:43].any()


def test_mistakes_are_named(worn):
    with pytest.raises(ToileError, match="'shoe' cannot be cut out; write one of upper, lower, dress, hat"):
        cut_out(*worn, "shoe")
    with pytest.raises(ToileError, match="64×96 and its parse map 32×48"):
        cut_out(worn[0], worn[1].resize((32, 48)), "upper")
