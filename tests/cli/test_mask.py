import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import nothing_in
from tests.data.small_parser import figure

from toile import __version__
from toile.cli.mask import MakeMask, MaskOptions, mask_photos
from toile.errors import ToileError


@pytest.fixture
def options(parser_folder) -> MaskOptions:
    return MaskOptions(parser=str(parser_folder), device="cpu")


@pytest.fixture
def photo(tmp_path) -> Path:
    figure()[0].save(tmp_path / "ann.png")
    return tmp_path / "ann.png"


def test_a_mask_and_its_preview(options, photo, tmp_path, capsys):
    out = tmp_path / "out" / "m.png"
    assert MakeMask(photos=(photo,), output=out, preview=True, options=options).run() == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["m-preview.png", "m.png"]
    with Image.open(out) as mask:
        assert mask.mode == "L" and mask.size == (64, 96) and mask.getpixel((32, 40)) == 255
        assert set(np.unique(np.asarray(mask))) == {0, 255}
        data = json.loads(mask.text["toile"])
    assert data == {
        "toile": __version__,
        "category": "upper",
        "photo": "ann.png",
        "variant": "fitted",
        "dilation": 0.12,
        "parser": options.parser,
        "pose": None,
        "device": "cpu",
    }
    with Image.open(out.with_name("m-preview.png")) as preview:
        changed = (np.asarray(preview) != np.asarray(Image.open(photo))).any(axis=2)
        inside = np.asarray(Image.open(out)) > 0
        assert preview.mode == "RGB" and changed[inside].all() and changed.mean() < inside.mean() + 0.1


def test_many_photos_some_of_them_bad(options, photo, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure((1, 3))[0].save(tmp_path / "bare.png")
    (tmp_path / "bad.jpg").write_text("no picture")
    wide = tmp_path / "wide.jpg"
    figure()[0].resize((640, 960)).save(wide)
    names = [photo, tmp_path / "bare.png", tmp_path / "bad.jpg", wide]
    assert MakeMask(photos=tuple(names), options=options).run() == 1
    said = capsys.readouterr()
    assert said.out.split() == ["ann-mask.png", "wide-mask.png"]
    lines = [line.split("\r")[-1] for line in said.err.splitlines()]
    errors = [line for line in lines if line.startswith("toile:")]
    assert len(errors) == 2 and "bare.png" in errors[0] and "category upper" in errors[0]
    assert "bad.jpg is not a picture" in errors[1]
    with Image.open("wide-mask.png") as mask:
        assert mask.size == (640, 960)


def test_variants_and_dilation(options, photo, tmp_path):
    areas = []
    for changed in ({"dilation": 0.0}, {}, {"variant": "shape-hiding"}):
        mask_photos([photo], output=tmp_path / "m.png", options=replace(options, **changed))
        areas.append(np.asarray(Image.open(tmp_path / "m.png")).mean())
    assert areas[0] < areas[1] < areas[2]


@pytest.mark.parametrize(
    ("category", "change", "message"),
    [
        ("shoe", {}, "category 'shoe' is unknown; write one of upper, lower, dress, hat"),
        ("upper", {"variant": "round"}, "variant 'round' is unknown"),
        ("upper", {"dilation": 9.0}, "dilation is 9.0; it must lie between 0 and 2"),
        ("upper", {"device": "toaster"}, "device 'toaster'"),
        ("upper", {"parser": "nothing/there"}, "nothing/there"),
        ("upper", {"pose": "nothing/there"}, "nothing/there"),
    ],
)
def test_a_bad_setting(options, photo, tmp_path, category, change, message):
    with pytest.raises(ToileError) as caught:
        mask_photos([photo], output=tmp_path / "out", category=category, options=replace(options, **change))
    assert message in str(caught.value)
    assert nothing_in(tmp_path / "out")


def test_outputs_that_are_photos(options, photo, tmp_path):
    figure()[0].save(tmp_path / "m-preview.png")
    photos = [photo, tmp_path / "m-preview.png"]
    with pytest.raises(ToileError, match="is one of the photos"):
        mask_photos(photos[:1], output=photo, options=options)
    figure()[0].save(tmp_path / "ann-mask-preview.png")
    with pytest.raises(ToileError, match="is one of the photos"):
        mask_photos(
            [photo, tmp_path / "ann-mask-preview.png"], output=tmp_path, preview=True, options=options
        )
