"""The columns of a list are the fields of the task's request."""

from dataclasses import fields

import pytest

from toile.catalogue.columns import COLUMNS, DRAWN, columns_of
from toile.errors import ToileError
from toile.tasks.every import REQUESTS


def test_every_task_has_columns():
    assert set(COLUMNS) == set(REQUESTS)


@pytest.mark.parametrize("task", COLUMNS)
def test_columns_are_exactly_the_fields_of_the_request(task):
    columns, own = COLUMNS[task], {field.name for field in fields(REQUESTS[task])}
    garments = {"garments"} if columns.garments else set()
    listed = {*columns.pictures, *columns.masks, *columns.settings, *garments}
    assert listed == own - {"seed", "drawing"}
    assert {field.name for field in fields(type(REQUESTS["restore"].drawing))} == set(DRAWN) - {"seed"}


def test_garments_have_columns_by_kind():
    dress = columns_of("dress")
    assert dress.garment("upper") == "garments.upper"
    assert dress.garment("upper.2") == "garments.upper.2"
    assert dress.garment("garments.scarf") == "garments.scarf"
    assert dress.garment("sead") is None
    assert columns_of("restore").garment("upper") is None


def test_unknown_columns_are_refused_unless_they_are_ones_own():
    restore = columns_of("restore")
    restore.check(["photo", "mask", "seed", "size", "name", "_price"], "here")
    with pytest.raises(ToileError, match=r"'sead'.*photo, mask, seed"):
        restore.check(["photo", "sead"], "here")
    with pytest.raises(ToileError, match="twice"):
        restore.check(["photo", "photo"], "here")
    with pytest.raises(ToileError, match="no task 'sew'"):
        columns_of("sew")
