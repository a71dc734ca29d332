import pytest
from PIL import Image

from toile.anydressing.outfits import Outfits, item_weights
from toile.errors import ToileError

PICTURES = [Image.new("RGB", (2, 2), color) for color in ("red", "green", "blue")]


def test_one_person():
    outfits = Outfits.of({"upper": PICTURES[0], "hat": PICTURES[1:]})
    assert outfits.pictures == tuple(PICTURES)
    assert outfits.kinds == ("upper", "hat", "hat")
    assert outfits.rows == ((0, 1, 2),)


def test_several_people_of_whom_one_wears_nothing():
    outfits = Outfits.of([{"upper": PICTURES[0]}, {}, {"hat": PICTURES[1], "upper": PICTURES[2]}])
    assert outfits.kinds == ("upper", "hat", "upper")
    assert outfits.rows == ((0,), (), (1, 2))


@pytest.mark.parametrize("nothing", [{}, [], [{}, {}], {"upper": []}])
def test_nothing_at_all(nothing):
    with pytest.raises(ToileError, match="nothing to wear"):
        Outfits.of(nothing)


def test_weights_by_kind():
    kinds = ("upper", "hat", "upper")
    assert item_weights(kinds, {}) == [1, 1, 1]
    assert item_weights(kinds, {"upper": 0.5}) == [0.5, 1, 0.5]
    assert item_weights(kinds, {"upper": [0.5, 2], "hat": 0}) == [0.5, 0, 2]
    with pytest.raises(ToileError, match=r"'shoe'.*upper, hat, upper"):
        item_weights(kinds, {"shoe": 1})
    with pytest.raises(ToileError, match="1 weights are for 2 garments of the kind 'upper'"):
        item_weights(kinds, {"upper": [1]})
