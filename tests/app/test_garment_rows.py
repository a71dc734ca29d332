import pytest
from PIL import Image

from toile.app.garment_rows import new_garment, next_kind, read_garments
from toile.app.limits import Limits
from toile.errors import ToileError


def test_garments_keep_their_order_within_a_kind(tmp_path):
    for color in ("red", "blue", "green"):
        Image.new("RGB", (5, 5), color).save(tmp_path / f"{color}.png")
    rows = [
        new_garment(str(tmp_path / f"{color}.png"), kind)
        for color, kind in (("red", "upper"), ("blue", "hat"), ("green", "upper"))
    ]
    assert len({row.number for row in rows}) == 3
    found = read_garments(rows, Limits())
    assert [len(found[kind]) for kind in ("upper", "hat")] == [2, 1]
    assert found["upper"][1].getpixel((0, 0)) == (0, 128, 0)


def test_a_row_without_a_kind_or_a_picture_is_named():
    with pytest.raises(ToileError, match="garment 1 has no kind"):
        read_garments([new_garment("a.png", "")], Limits())
    with pytest.raises(ToileError, match="garment 1 is no longer here"):
        read_garments([new_garment("/nowhere/a.png", "upper")], Limits())


def test_the_next_kind_is_guessed():
    assert next_kind([]) == "upper"
    assert next_kind(["upper"]) == "lower"
    assert next_kind(["upper", "lower", "hat"]) == "upper"
    assert next_kind(["dress"]) == "hat"
