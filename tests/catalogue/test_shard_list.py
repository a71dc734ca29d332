"""Shards as a list: written by the webdataset library itself, read at random."""

import io
import json
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image
from webdataset import ShardWriter

from toile.catalogue.columns import columns_of
from toile.catalogue.item import BadItem
from toile.catalogue.lists import open_list
from toile.catalogue.loading import decoded, load_request
from toile.catalogue.shard_list import ShardList
from toile.data.doll_pairs import DollPairs
from toile.data.shard_writer import write_shards
from toile.errors import ToileError


def photo(shade):
    return Image.fromarray(np.full((8, 6, 3), shade, np.uint8))


def write(folder, samples, each=3):
    pattern = f"{folder}/s-%02d.tar"
    with ShardWriter(pattern, maxcount=each, verbose=0) as writer:
        for sample in samples:
            writer.write(sample)
    return sorted(folder.glob("*.tar"))


def numbered(count):
    return [
        {"__key__": f"sku{n}", "photo.png": photo(n), "json": {"seed": n, "category": "lower", "width": 6}}
        for n in range(count)
    ]


def everything(found):
    return list(found.read(0, len(found)))


def test_samples_are_items_in_the_order_of_the_shards(tmp_path):
    found = ShardList(write(tmp_path, numbered(8)), columns_of("restore"))
    items = everything(found)
    assert [item.name for item in items] == [f"sku{n}" for n in range(8)]
    assert [item.settings for item in items] == [{"seed": n, "category": "lower"} for n in range(8)]
    assert [decoded(item.files["photo"]).getpixel((0, 0)) for item in items] == [(n,) * 3 for n in range(8)]
    for start in range(8):
        assert list(found.read(start, start + 4)) == items[start : start + 4]
    assert load_request(items[5], "restore", {"seed": 1, "steps": 2}).seed == 5


@pytest.mark.parametrize("name", ["png", "person.png", "photo.png"])
def test_a_single_picture_is_found_under_its_usual_names(tmp_path, name):
    found = ShardList(write(tmp_path, [{"__key__": "a", name: photo(9)}]), columns_of("takeoff"))
    (item,) = everything(found)
    assert decoded(item.files["photo"]).getpixel((0, 0)) == (9, 9, 9)


def test_the_projects_own_shards_can_be_tried_on(tmp_path):
    (shard,) = write_shards(DollPairs(0, 2, size=(64, 48)), tmp_path, progress=False)
    items = everything(ShardList([shard], columns_of("tryon")))
    assert [set(item.files) for item in items] == [{"person", "garment", "mask"}] * 2
    assert decoded(items[1].files["person"]).size == (48, 64)
    assert {item.settings["category"] for item in items} <= {"upper", "lower", "dress"}


def test_nothing_but_pictures_and_json_is_read(tmp_path):
    sample = {"__key__": "a", "photo.png": photo(1), "pyd": {"a": 1}, "pth": b"x", "x.json": {"seed": 3}}
    (item,) = everything(ShardList(write(tmp_path, [sample]), columns_of("restore")))
    assert set(item.files) == {"photo"}
    assert item.settings == {}


def test_keys_that_shards_share_get_the_shards_name(tmp_path):
    for shard in "ab":
        with ShardWriter(f"{tmp_path}/{shard}-%d.tar", verbose=0) as writer:
            writer.write({"__key__": "0001", "png": photo(1)})
    found = open_list(str(tmp_path), "restore")
    assert [item.name for item in everything(found)] == ["a-0-0001", "b-0-0001"]


def test_a_sample_that_is_there_twice_is_named(tmp_path):
    samples = [{"__key__": key, "png": photo(1)} for key in ("x", "y", "x")]
    with pytest.raises(ToileError, match=r"the samples x of .*s-00\.tar and x of .*keep the files"):
        ShardList(write(tmp_path, samples), columns_of("restore"))


def test_keys_lead_nowhere(tmp_path):
    samples = [{"__key__": key, "png": photo(1)} for key in ("../../etc/x", "/abs/y", "d/e")]
    found = ShardList(write(tmp_path, samples), columns_of("restore"))
    assert [item.name for item in everything(found)] == ["_.._etc_x", "_abs_y", "d_e"]


def test_bad_samples_are_named_and_the_others_read(tmp_path):
    shard, png = tmp_path / "a.tar", io.BytesIO()
    photo(1).save(png, format="PNG")
    files = {
        "a.json": b"{",
        "a.png": png.getvalue(),
        "b.json": b"[1]",
        "b.png": png.getvalue(),
        "c.json": json.dumps({"category": "shoe"}).encode(),
        "c.png": png.getvalue(),
        "d.json": b"{}",
        "e.png": png.getvalue(),
    }
    with tarfile.open(shard, "w") as file:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    found = everything(ShardList([shard], columns_of("restore")))
    errors = [item.error for item in found if isinstance(item, BadItem)]
    assert [type(item) for item in found][-1] is not BadItem
    assert all(error.startswith(f"{shard}, sample ") for error in errors)
    for error, said in zip(errors, ("no JSON", "no JSON object", "'shoe'", "names no photo"), strict=True):
        assert said in error


def test_the_fingerprint_changes_with_the_content(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    one = ShardList(write(tmp_path / "a", numbered(4)), columns_of("restore"))
    assert ShardList(write(tmp_path / "b", numbered(4)), columns_of("restore")).fingerprint == one.fingerprint
    assert ShardList(write(tmp_path / "b", numbered(5)), columns_of("restore")).fingerprint != one.fingerprint


def test_a_shard_that_has_changed_is_refused(tmp_path):
    found = ShardList(write(tmp_path, numbered(2)), columns_of("restore"))
    write(tmp_path, numbered(3))
    with pytest.raises(ToileError, match="has changed"):
        everything(found)


def test_it_can_be_sent_to_another_process(tmp_path):
    found = ShardList(write(tmp_path, numbered(4)), columns_of("restore"))
    assert everything(pickle.loads(pickle.dumps(found))) == everything(found)
