from pathlib import Path

import pytest
from PIL import Image

from toile.app.limits import Limits
from toile.app.saved_settings import read_settings, remarks, values_of
from toile.app.workroom import Workroom
from toile.errors import ToileError
from toile.images import save_png
from toile.tasks.atelier import Atelier

NAMES = ("category", "seed", "steps", "guidance", "scale", "repaint", "through", "box", "prompt")


@pytest.fixture
def png(tmp_path):
    def make(**settings: object) -> bytes:
        save_png(Image.new("RGB", (8, 8)), tmp_path / "a.png", settings)
        return (tmp_path / "a.png").read_bytes()

    return make


def test_settings_come_back_as_they_were_saved(png):
    told = {"task": "dress", "seed": 3, "steps": 7, "guidance": 2.5, "prompt": "a “woman” 👒", "scale": 0.7}
    assert read_settings(png(**told)) == told
    assert values_of(told, NAMES, Limits()) == {name: told[name] for name in told if name != "task"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "sock"),
        ("category", ["upper"]),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 1.5),
        ("seed", True),
        ("steps", 0),
        ("steps", 101),
        ("steps", "7"),
        ("guidance", float("nan")),
        ("guidance", None),
        ("scale", -0.1),
        ("repaint", 1),
        ("through", "magic"),
        ("box", [0, 0, 5, 5]),
        ("prompt", "a" * 5000),
        ("prompt", {"a": 1}),
    ],
)
def test_what_no_control_can_show_is_left_out(name, value):
    assert values_of({name: value, "elsewhere": 1}, NAMES, Limits()) == {}


def test_an_outfit_that_was_not_worn_is_taken_off_again():
    assert values_of({}, ["wear", "seed"], Limits()) == {"wear": ""}
    assert values_of({"wear": "sunday"}, ["wear"], Limits()) == {"wear": "sunday"}


def test_a_picture_without_settings_says_so(tmp_path, png):
    Image.new("RGB", (8, 8)).save(tmp_path / "bare.png")
    with pytest.raises(ToileError, match="carries no settings"):
        read_settings((tmp_path / "bare.png").read_bytes())
    with pytest.raises(ToileError, match="do not say what it was made by"):
        read_settings(png(seed=1))
    with pytest.raises(ToileError, match="is not a picture"):
        read_settings(b"nothing")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[1]", '"task"'])
def test_damaged_settings_are_refused(tmp_path, text):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("toile", text)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(ToileError, match="settings in the picture"):
        read_settings((tmp_path / "a.png").read_bytes())


def test_what_does_not_come_back_is_said():
    room = Workroom(atelier=Atelier(), folder=Path("nowhere"))
    told = {"model": "tiny", "seed": 2**60, "steps": 3, "guidance": 2.0, "mask": True}
    said = " ".join(remarks(told, values_of(told, NAMES, Limits()), room))
    assert "paint it again" in said and "seed lies beyond" in said and "not at work" not in said
    assert "model other, which is not at work" in " ".join(remarks({"model": "other"}, {}, room))
