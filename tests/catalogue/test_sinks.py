"""Results go into a folder or into shards, and come back from where they are said to lie."""

import json
import pickle

import numpy as np
import pytest
import webdataset
from PIL import Image

from toile.catalogue.item import Item
from toile.catalogue.sinks import Sink, open_sink, read_output
from toile.decoding import decode
from toile.errors import ToileError
from toile.images import METADATA_KEY
from toile.tasks.result import Result


def done(number, name="", **extra):
    shade = Image.fromarray(np.full((8, 6, 3), number % 256, np.uint8))
    item = Item(number=number, name=name or f"sku.{number}", files={}, settings={})
    return item, Result(pictures={"garment": shade, **extra}, metadata={"seed": number})


BLOCK = [done(4), done(5, silhouette=Image.new("L", (3, 3))), done(6, mask=Image.new("L", (3, 3)))]


def shown(folder, places):
    return [decode(read_output(folder, place)).getpixel((0, 0))[0] for place in places]


@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_results_lie_where_they_are_said_to(tmp_path, kind):
    sink = open_sink(tmp_path / "out", kind)
    assert isinstance(sink, Sink)
    places = pickle.loads(pickle.dumps(sink)).write(2, BLOCK)
    assert shown(tmp_path / "out", places) == [4, 5, 6]
    picture = decode(read_output(tmp_path / "out", places[1]))
    assert json.loads(picture.info[METADATA_KEY]) == {"seed": 5, "kind": "garment"}


@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_a_block_that_is_written_again_is_the_same_to_the_byte(tmp_path, kind):
    sink = open_sink(tmp_path, kind)
    contents = []
    for _ in range(2):
        sink.write(2, BLOCK)
        contents.append({path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == (4 if kind == "folder" else 1)


def test_a_folder_holds_pictures_by_name(tmp_path):
    places = open_sink(tmp_path, "folder", items=3).write(0, BLOCK)
    assert places == ["pictures/sku.4.png", "pictures/sku.5.png", "pictures/sku.6.png"]
    assert [path.name for path in (tmp_path / "silhouette").iterdir()] == ["sku.5.png"]


def test_many_pictures_lie_in_folders_of_a_thousand(tmp_path):
    places = open_sink(tmp_path, "folder", items=10_001).write(0, [done(999), done(1000), done(10_000)])
    assert [place.split("/")[1] for place in places] == ["00000", "00001", "00010"]
    assert shown(tmp_path, places) == [999 % 256, 1000 % 256, 10_000 % 256]


def test_a_block_is_a_shard_that_webdataset_reads(tmp_path):
    places = open_sink(tmp_path, "shards").write(12, BLOCK)
    assert places[0] == "shard-00000012.tar#000000004.garment.png"
    samples = list(webdataset.WebDataset(str(tmp_path / "shard-00000012.tar"), shardshuffle=False))
    assert [json.loads(sample["json"]) for sample in samples] == [
        {"name": f"sku.{number}", "seed": number} for number in (4, 5, 6)
    ]
    assert "silhouette.png" in samples[1]
    assert "mask.png" not in samples[2]


@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_a_block_without_results_writes_nothing(tmp_path, kind):
    assert open_sink(tmp_path, kind).write(1, []) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_places_that_no_sink_gave_are_refused(tmp_path):
    open_sink(tmp_path / "out", "shards").write(0, BLOCK)
    (tmp_path / "secret.png").touch()
    for place, said in (
        ("../secret.png", "leads out"),
        (str(tmp_path / "secret.png"), "leads out"),
        ("", "cannot be a file"),
        ("pictures/none.png", "cannot be read"),
        ("shard-00000000.tar#9.png", "lacks 9.png"),
    ):
        with pytest.raises(ToileError, match=said):
            read_output(tmp_path / "out", place)


def test_an_output_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ToileError, match="cannot be written"):
        open_sink(tmp_path / "file", "folder")
