import pytest
from benchmarks.catalogue_photos import DAMAGES, break_rows, write_list, write_photos

from toile.catalogue.item import BadItem
from toile.catalogue.lists import open_list
from toile.catalogue.loading import load_request
from toile.errors import ToileError
from toile.images import as_mask


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, 14, (64, 48))
    return folder


def failures(listed) -> set[int]:
    """Items of a list that cannot be drawn, as far as that shows before a model is there."""
    found = set()
    items = open_list(str(listed), "restore")
    for item in items.read(0, len(items)):
        try:
            if isinstance(item, BadItem):
                raise ToileError(item.error)
            request = load_request(item, "restore", {})
            as_mask(request.mask, request.photo.size)
        except ToileError:
            found.add(item.number)
    return found


def test_dolls_are_good_photos(photos):
    rows = write_photos(photos, 14, (64, 48))
    assert [row["seed"] for row in rows] == [str(number) for number in range(14)]
    assert failures(write_list(rows, photos / "good.csv")) == set()


def test_every_kind_of_damage_breaks_its_item_alone(photos):
    rows = write_photos(photos, 14, (64, 48))
    broken = break_rows(rows, photos, 10 / 14, seed=1)
    assert len(broken) == len(DAMAGES) == 10
    assert failures(write_list(rows, photos / "broken.csv")) == broken
