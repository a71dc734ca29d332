"""Items become requests; whatever is wrong with a picture is one line that names item and file."""

import io
import os

import pytest
from PIL import Image

from toile.catalogue.item import Item, ShardPart
from toile.catalogue.loading import load_request
from toile.errors import ToileError
from toile.tasks.drawing import IGR_DRAWING, Drawing


def item(settings=None, **files):
    found = {name.replace("__", "."): path for name, path in files.items()}
    return Item(number=0, name="sku-1", files=found, settings=settings or {})


def test_an_items_own_settings_go_before_the_runs(picture_file):
    made = load_request(
        item({"seed": 5, "steps": 2}, photo=picture_file("a.png")),
        "restore",
        {"seed": 1, "guidance": 3.0, "category": "lower", "size": None},
    )
    assert (made.seed, made.category, made.mask) == (5, "lower", "auto")
    assert made.drawing == Drawing(steps=2, guidance=3.0)
    assert made.photo.size == (40, 60)
    assert load_request(item(photo=picture_file("a.png")), "restore", {}).drawing == IGR_DRAWING


def test_a_mask_is_a_file_or_a_word(picture_file):
    photo, mask = picture_file("a.png"), picture_file("m.png", color="white", mode="L")
    assert load_request(item(photo=photo, mask=mask), "restore", {"mask": "none"}).mask.mode == "L"
    assert load_request(item(photo=photo), "restore", {"mask": "none"}).mask is None
    assert load_request(item({"mask": "auto"}, photo=photo), "restore", {"mask": "none"}).mask == "auto"


@pytest.mark.parametrize(
    ("task", "fields", "settings"),
    [
        ("takeoff", ("photo",), {"box": (1, 2, 3, 4), "silhouette": True}),
        ("tryon", ("person", "garment"), {"candidates": 2, "repaint": False, "round_trip": True}),
        ("swap", ("wearer", "target"), {"through": "igr", "wearer_mask": "none"}),
    ],
)
def test_every_task_gets_its_pictures_and_settings(picture_file, task, fields, settings):
    files = {field: picture_file(f"{field}.png", size=(10 + place, 20)) for place, field in enumerate(fields)}
    made = load_request(item(settings, **files), task, {})
    assert made.task == task
    assert [getattr(made, field).size for field in fields] == [(10, 20), (11, 20)][: len(fields)]
    meant = settings | ({"wearer_mask": None} if task == "swap" else {})
    assert {name: getattr(made, name) for name in settings} == meant


def test_garments_come_by_kind(picture_file):
    one, two, hat = (picture_file(f"{n}.png", size=(n, 9)) for n in (11, 12, 13))
    made = load_request(
        item({"prompt": "a park"}, garments__upper=one, garments__upper__2=two, garments__hat=hat),
        "dress",
        {},
    )
    assert {kind: [p.size[0] for p in of_kind] for kind, of_kind in made.garments.items()} == {
        "upper": [11, 12],
        "hat": [13],
    }
    with pytest.raises(ToileError, match=r"sku-1: it has no prompt; write it into the list, or give one"):
        load_request(item(garments__upper=one), "dress", {})


def test_an_outfit_or_a_prompt_may_be_the_same_for_all(picture_file):
    made = load_request(item({"prompt": "a park"}), "dress", {"wear": "sunday"})
    assert (made.garments, made.wear) == ({}, "sunday")
    one = picture_file("a.png")
    assert load_request(item(garments__upper=one), "dress", {"prompt": "at sea"}).prompt == "at sea"
    with pytest.raises(ToileError, match=r"^sku-1: .*garment"):
        load_request(item(), "dress", {"prompt": "at sea"})


def test_pictures_are_read_out_of_shards(tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (7, 5)).save(content, format="PNG")
    (tmp_path / "a.tar").write_bytes(b"x" * 100 + content.getvalue())
    part = ShardPart(shard=tmp_path / "a.tar", member="1.png", start=100, length=len(content.getvalue()))
    assert load_request(item(photo=part), "restore", {}).photo.size == (7, 5)
    short = ShardPart(shard=tmp_path / "a.tar", member="1.png", start=0, length=90)
    with pytest.raises(ToileError, match=r"^sku-1: the photo is not a picture.*\[.*a\.tar#1\.png\]$"):
        load_request(item(photo=short), "restore", {})


def test_broken_pictures_are_named(picture_file, tmp_path):
    cut = picture_file("cut.png", size=(200, 200))
    cut.write_bytes(cut.read_bytes()[:60])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name, said in {
        "cut": "is damaged or cut short",
        "empty": "is an empty file",
        "text": "is not a picture",
        "none": "does not exist",
        "pipe": "is no file",
        "folder": "is no file",
    }.items():
        path = tmp_path / f"{name}.png"
        with pytest.raises(ToileError, match=rf"^sku-1: the photo {said}.*\[{path}\]$") as error:
            load_request(item(photo=path), "restore", {})
        assert "\n" not in str(error.value)
    with pytest.raises(ToileError, match=r"^sku-1: the wearer mask does not exist"):
        load_request(
            item(wearer=picture_file("a.png"), target=picture_file("a.png"), wearer_mask=tmp_path / "n.png"),
            "swap",
            {},
        )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"category": "shoe"}, "category 'shoe'"),
        ({"seed": -1}, "seed is -1"),
        ({"sead": 1}, "restore has no setting 'sead'"),
        ({"mask": "perhaps"}, "mask is 'perhaps'"),
    ],
)
def test_settings_that_no_model_knows_are_refused(picture_file, settings, said):
    with pytest.raises(ToileError, match=f"^sku-1: {said}"):
        load_request(item(photo=picture_file("a.png")), "restore", settings)
