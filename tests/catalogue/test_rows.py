"""A row of a list becomes an item, or says what is wrong with it."""

from pathlib import Path

import pytest

from toile.catalogue.columns import columns_of
from toile.catalogue.rows import LocalFiles, filled, row_item, row_name
from toile.errors import ToileError

FIND = LocalFiles(Path("/shop"))


def item(task, **row):
    return row_item(filled(row), 4, columns_of(task), FIND)


def test_files_and_settings_are_told_apart():
    made = item("restore", photo="a/x 1.jpg", mask="m.png", category="Lower", seed="7", size="64x32")
    assert made.files == {"photo": Path("/shop/a/x 1.jpg"), "mask": Path("/shop/m.png")}
    assert made.settings == {"category": "lower", "seed": 7, "size": (64, 32)}
    assert (made.number, made.name) == (4, "x 1")


def test_a_mask_may_be_a_word():
    made = item("swap", wearer="a.jpg", target="b.jpg", wearer_mask="auto", target_mask="NONE")
    assert made.settings == {"wearer_mask": "auto", "target_mask": "none"}
    assert made.name == "a-b"


def test_absolute_paths_are_read_where_they_are():
    assert item("restore", photo="/else/x.jpg").files["photo"] == Path("/else/x.jpg")


def test_garments_of_any_kind_and_number():
    made = item("dress", **{"upper": ["a.png", "b.png"], "garments.scarf": "c.png", "prompt": "a park"})
    assert list(made.files) == ["garments.upper", "garments.upper.2", "garments.scarf"]
    assert made.name == "item-0000004"


def test_empty_values_and_ones_own_columns_say_nothing():
    assert filled({"photo": " a.jpg ", "mask": "", "seed": None, "_price": "9"}) == {"photo": "a.jpg"}


@pytest.mark.parametrize(
    ("task", "row", "said"),
    [
        ("restore", {"category": "upper"}, "names no photo"),
        ("restore", {"photo": "a.jpg", "seed": "x"}, "seed is 'x'; write a whole number"),
        ("restore", {"photo": "a.jpg", "sead": "x"}, "'sead'"),
        ("restore", {"photo": "a.jpg", "name": "../../etc/x"}, "name"),
        ("restore", {"photo": "a.jpg", "name": True}, "name is True"),
        ("restore", {"photo": 3}, "photo is 3"),
        ("restore", {"photo": "a\0.jpg"}, "control character"),
        ("restore", {"photo": ["a.jpg"]}, "name of a file"),
        ("tryon", {"person": "a.jpg"}, "names no garment"),
    ],
)
def test_what_cannot_be_understood_is_said(task, row, said):
    with pytest.raises(ToileError, match=said):
        item(task, **row)


def test_a_row_has_a_name_that_can_be_used_even_if_its_own_cannot():
    restore = columns_of("restore")
    assert row_name({"photo": "a/b.c.jpg"}, 0, restore) == "b.c"
    assert row_name({"name": "../x", "photo": "b.jpg"}, 2, restore) == "item-0000002"
    assert row_name({"photo": "a/..jpg"}, 0, restore) == "jpg"
    assert row_name({}, 3, restore) == "item-0000003"
    assert row_name({"name": 17}, 3, restore) == "17"
