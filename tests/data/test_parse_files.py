from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toile.data.parse_files import read_parse_map, write_parse_map
from toile.data.parse_labels import LIP
from toile.dolls import draw_doll
from toile.dolls.layouts import dresscode_labels
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples" / "viton-hd-mini" / "test"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the sample photos are not beside the repository"
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    parse = Image.fromarray(draw_doll(3, size=(64, 48)).parse)
    write_parse_map(parse, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as written:
        assert written.mode == "P"
    found = read_parse_map(tmp_path / "a.png")
    assert found.mode == "L"
    assert (np.asarray(found) == np.asarray(parse)).all()


def test_dresscodes_grey_maps_are_atrs(tmp_path: Path) -> None:
    doll = draw_doll(3, size=(64, 48))
    Image.fromarray(dresscode_labels(doll.parse)).save(tmp_path / "a.png")
    found = np.asarray(read_parse_map(tmp_path / "a.png", "atr"))
    neck = doll.parse == LIP["torso skin"]  # ATR counts the neck as face
    assert (found[~neck] == doll.parse[~neck]).all()
    assert (found[neck] == LIP["face"]).all()


def test_colours_are_no_labels(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.png")
    with pytest.raises(ToileError, match=r"a\.png: its pixels are no labels but RGB"):
        read_parse_map(tmp_path / "a.png")


def test_unknown_labels(tmp_path: Path) -> None:
    Image.new("L", (4, 4), 20).save(tmp_path / "a.png")
    with pytest.raises(ToileError, match="holds the label 20"):
        read_parse_map(tmp_path / "a.png")
    with pytest.raises(ToileError, match="up to 20"):
        write_parse_map(Image.new("L", (4, 4), 20), tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


@needs_samples
def test_a_real_map() -> None:
    parse = np.asarray(read_parse_map(SAMPLES / "image-parse-v3" / "00006_00.png"))
    assert parse.shape == (1024, 768)
    assert (parse == LIP["upper"]).mean() > 0.1
