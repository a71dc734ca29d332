import numpy as np
import pytest
from PIL import Image

from toile.errors import ToileError
from toile.tasks.masks import MaskFinder, Region, check_region, repainted, usual_place
from toile.twgtm.regions import default_region

SIZE = (96, 64)


@pytest.fixture(scope="module")
def finder(parser_folder):
    return MaskFinder(str(parser_folder))


def test_given_found_or_none(finder, ann, bare):
    mask = Image.new("L", ann.size, 0)
    mask.paste(255, (10, 10, 30, 50))
    given = finder.region(ann, mask, "upper", SIZE, "a box is taken")
    assert (given.origin, given.note) == (True, None) and given.mask.getbbox() == (10, 10, 30, 50)
    found = finder.region(ann, "auto", "upper", SIZE, "a box is taken")
    assert found.origin == "automatic" and found.mask.getpixel((32, 40)) == 255
    assert "(upper)" in found.note and "a box is taken" not in found.note
    missed = finder.region(bare, "auto", "upper", SIZE, "a box is taken")
    assert (missed.mask, missed.origin) == (None, False) and "a box is taken" in missed.note
    assert finder.region(ann, None, "upper", SIZE, "a box is taken") == Region(
        mask=None, origin=False, note="a box is taken"
    )


def test_bad_masks(finder, ann):
    with pytest.raises(ToileError, match="its photo 64×96"):
        finder.region(ann, Image.new("L", (3, 3), 255), "upper", SIZE, "")
    speck = Image.new("L", (400, 600), 0)
    speck.putpixel((3, 3), 255)
    with pytest.raises(ToileError, match="mask m marks so little that nothing remains at 32×16"):
        check_region(speck, (32, 16), "mask m")


def test_the_bundled_parser_may_be_missing_but_no_other(monkeypatch, tmp_path, ann):
    monkeypatch.setattr("toile.data.parsing.weights_folder", lambda: tmp_path)
    finder = MaskFinder()
    assert finder.find(ann, "upper", SIZE) is None and "missing" in finder.problem
    assert "missing" in finder.region(ann, "auto", "upper", SIZE, "a box is taken").note
    with pytest.raises(ToileError, match="nothing/there"):
        MaskFinder("nothing/there")


def test_a_box_stands_for_the_whole_photo(ann):
    box = repainted(Region(mask=None, origin=False), ann, "lower")
    assert (np.asarray(box) == np.asarray(default_region("lower", SIZE))).all()
    mask = Image.new("L", ann.size, 255)
    assert repainted(Region(mask=mask, origin=True), ann, "lower") is mask
    assert "(dress)" in usual_place("dress") and "PERSON" in usual_place("dress", "PERSON")
