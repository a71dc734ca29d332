import numpy as np
import pytest
from PIL import Image
from tests.data.small_parser import figure

from toile.cli.mask_request import MaskRequest
from toile.errors import ToileError
from toile.twgtm.regions import default_region

SIZE = (96, 64)


@pytest.fixture
def request_for(parser_folder):
    def make(mask: object) -> MaskRequest:
        return MaskRequest(mask=mask, category="upper", parser=str(parser_folder), instead="a box is taken")

    return make


def test_given_found_or_none(request_for, mask_file, capsys):
    photo = figure()[0]
    given = request_for(mask_file(size=(64, 96))).region(photo, "ann.png", SIZE)
    assert given.origin is True and given.mask.getbbox() == (10, 10, 30, 50)
    assert capsys.readouterr().err == ""
    found = request_for("auto").region(photo, "ann.png", SIZE)
    assert found.origin == "automatic" and found.mask.getpixel((32, 40)) == 255
    assert capsys.readouterr().err.count("note:") == 1
    none = request_for("none").region(photo, "ann.png", SIZE)
    assert (none.mask, none.origin) == (None, False)
    assert capsys.readouterr().err == "note: a box is taken\n"


def test_a_box_takes_the_place_of_a_mask_that_cannot_be_found(request_for, capsys):
    box = np.asarray(default_region("upper", SIZE))
    for photo, mask in ((figure((1, 3))[0], "auto"), (figure()[0], "none")):
        region, origin = request_for(mask).repainted(photo, "bob.png", SIZE)
        assert origin is False and (np.asarray(region) == box).all()
        assert "a box is taken" in capsys.readouterr().err
    region, origin = request_for("auto").repainted(figure()[0], "ann.png", SIZE)
    assert origin == "automatic" and (np.asarray(region) != box).any()


def test_bad_masks(request_for, mask_file):
    with pytest.raises(ToileError, match="its photo 64×96"):
        request_for(mask_file()).region(figure()[0], "ann.png", SIZE)
    with pytest.raises(ToileError, match="does not exist"):
        request_for("gone.png").region(Image.new("RGB", (4, 4)), "ann.png", SIZE)
