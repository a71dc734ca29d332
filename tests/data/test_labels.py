import json
from pathlib import Path

import pytest
from tests.data.layouts import write_viton_hd

from toile.data.caption_cache import CaptionCache
from toile.data.labels import read_labels
from toile.data.open import open_pairs
from toile.errors import ToileError

ROW = {
    "identifier": "00001_00",
    "caption": "a man in a shirt",
    "garment_caption": "a shirt",
    "reasons": ["occlusion"],
    "hardness": {"occlusion": 0.5},
}


def test_labels_reach_the_pairs(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("00001_00", "00002_00"))
    (tmp_path / "test" / "dolls.jsonl").write_text(json.dumps(ROW) + "\n")
    first, second = open_pairs(str(tmp_path), split="test")
    assert (first.caption, first.garment_caption, first.hard) == ("a man in a shirt", "a shirt", True)
    assert first.hardness == {"occlusion": 0.5}
    assert (second.caption, second.hard) == ("", None)


def test_a_folder_without_labels_has_none(tmp_path: Path) -> None:
    assert read_labels(tmp_path) == {}


@pytest.mark.parametrize("place", ["", "test", "test/image"])
def test_without_labels_captions_are_read(tmp_path: Path, place: str) -> None:
    write_viton_hd(tmp_path, ("00001_00", "00002_00"))
    photos = sorted((tmp_path / "test" / "image").iterdir())
    CaptionCache(tmp_path / place, "model").add(photos[1], "a woman in a coat")
    other = tmp_path / "train" / "image" / photos[0].name
    other.parent.mkdir(parents=True)
    other.write_bytes(photos[0].read_bytes())
    CaptionCache(tmp_path, "model").add(other, "somebody else")
    first, second = open_pairs(str(tmp_path), split="test")
    assert (first.caption, second.caption) == ("", "a woman in a coat")


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"caption": "no identifier"}', '{"identifier": "a", "hardness": 3}']
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "dolls.jsonl").write_text(json.dumps(ROW) + "\n" + line + "\n")
    with pytest.raises(ToileError, match=r"dolls\.jsonl, line 2"):
        read_labels(tmp_path)
