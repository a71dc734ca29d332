"""Any kind of list is opened by its name."""

import pytest
from PIL import Image
from webdataset import ShardWriter

from toile.catalogue.csv_list import CsvList
from toile.catalogue.folder_list import FolderList
from toile.catalogue.json_lines import JsonLines
from toile.catalogue.lists import ItemList, open_list
from toile.catalogue.shard_list import ShardList
from toile.errors import ToileError


@pytest.fixture
def places(tmp_path):
    (tmp_path / "list.csv").write_text("photo\na.jpg\n")
    (tmp_path / "list.jsonl").write_text('{"photo": "a.jpg"}\n')
    for folder in ("pictures", "shards", "masks"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "pictures/a.png")
    for number in range(3):
        with ShardWriter(f"{tmp_path}/shards/s-{number}%d.tar", verbose=0) as writer:
            writer.write({"__key__": f"a{number}", "png": Image.new("RGB", (4, 4))})
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("list.csv", CsvList, 1),
        ("list.jsonl", JsonLines, 1),
        ("pictures", FolderList, 1),
        ("shards", ShardList, 3),
        ("shards/s-00.tar", ShardList, 1),
        ("shards/s-{00..20}.tar", ShardList, 3),
        ("shards/s-?0.tar", ShardList, 3),
    ],
)
def test_every_kind_is_known_by_its_name(places, name, kind, count):
    if "{" in name:
        (places / "shards/s-20.tar").rename(places / "shards/s-02.tar")
        (places / "shards/s-10.tar").rename(places / "shards/s-01.tar")
        name = "shards/s-{00..02}.tar"
    found = open_list(str(places / name), "restore")
    assert isinstance(found, kind)
    assert isinstance(found, ItemList)
    assert len(found) == count


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.csv", "does not exist"),
        ("none/s-{0..2}.tar", "is missing"),
        ("list.txt", "no known kind"),
        ("empty.csv", "holds no item; it needs the column photo"),
        ("masks", "holds no picture"),
    ],
)
def test_what_is_no_list_is_refused(places, name, said):
    (places / "list.txt").write_text("photo\n")
    (places / "empty.csv").write_text("photo\n\n")
    with pytest.raises(ToileError, match=said):
        open_list(str(places / name), "restore")


def test_masks_belong_to_a_folder_of_pictures(places):
    assert len(open_list(str(places / "pictures"), "restore", masks=places / "masks")) == 1
    for name in ("list.csv", "shards"):
        with pytest.raises(ToileError, match=r"--masks belongs to a folder of pictures.*column mask"):
            open_list(str(places / name), "restore", masks=places / "masks")
