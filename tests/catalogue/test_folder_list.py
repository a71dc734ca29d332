"""A folder of pictures as a list."""

import pickle

import pytest

from toile.catalogue.columns import columns_of
from toile.catalogue.folder_list import FolderList
from toile.errors import ToileError


def opened(folder, task="restore", masks=None):
    return FolderList(folder, columns_of(task), masks)


def everything(found):
    return list(found.read(0, len(found)))


@pytest.fixture
def folder(tmp_path):
    for name in ("b.JPG", "a.png", "ünder 1.webp", ".hidden.png", "notes.txt", "masks/a.png", "masks/b.JPG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_pictures_are_items_in_the_order_of_their_names(folder):
    items = everything(opened(folder))
    assert [(item.number, item.name) for item in items] == [(0, "a"), (1, "b"), (2, "ünder 1")]
    assert items[2].files == {"photo": folder / "ünder 1.webp"}


def test_masks_within_the_folder_are_taken_where_there_are_any(folder):
    masks = [item.files.get("mask") for item in everything(opened(folder))]
    assert masks == [folder / "masks/a.png", folder / "masks/b.JPG", None]
    assert all("mask" not in item.files for item in everything(opened(folder, "takeoff")))


def test_another_folder_of_masks_is_another_list(folder, tmp_path):
    assert opened(folder).fingerprint != opened(folder, masks=tmp_path).fingerprint


def test_masks_as_toile_mask_writes_them(folder):
    (folder / "masks" / "a.png").rename(folder / "masks" / "a-mask.png")
    assert next(iter(everything(opened(folder)))).files["mask"] == folder / "masks/a-mask.png"


def test_masks_that_are_asked_for_have_to_be_there(folder, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    (own / "a.tif").touch()
    masks = [item.files["mask"] for item in everything(opened(folder, masks=own))]
    assert masks == [own / "a.tif", own / "b.png", own / "ünder 1.png"]
    (own / "b-mask.tif").touch()
    assert everything(opened(folder, masks=own))[1].files["mask"] == own / "b-mask.tif"
    with pytest.raises(ToileError, match="is no folder"):
        opened(folder, masks=own / "nowhere")
    with pytest.raises(ToileError, match="takeoff takes no masks"):
        opened(folder, "takeoff", own)


@pytest.mark.parametrize("task", ["tryon", "swap", "dress"])
def test_tasks_with_several_pictures_need_a_list(folder, task):
    with pytest.raises(ToileError, match="write a CSV with the column"):
        opened(folder, task)


def test_pictures_that_differ_in_their_suffix_alone_are_named(folder):
    (folder / "a.jpg").touch()
    with pytest.raises(ToileError, match=r"both a\.jpg and a\.png"):
        opened(folder)


def test_the_fingerprint_changes_with_the_names(folder):
    before = opened(folder).fingerprint
    assert opened(folder).fingerprint == before
    assert opened(folder, "takeoff").fingerprint != before
    (folder / "c.png").touch()
    assert opened(folder).fingerprint != before


def test_it_can_be_sent_to_another_process(folder):
    found = opened(folder)
    assert everything(pickle.loads(pickle.dumps(found))) == everything(found)


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "a.heic").touch()
    with pytest.raises(ToileError, match=r"holds no picture; their names end in \.jpg, "):
        opened(tmp_path)


def test_a_link_that_leads_nowhere_is_not_left_out(folder):
    (folder / "z.png").symlink_to(folder / "nothing.png")
    assert [item.name for item in everything(opened(folder))] == ["a", "b", "z", "ünder 1"]
