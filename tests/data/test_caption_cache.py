import json
from pathlib import Path

import pytest

from toile.data.caption_cache import FILE, CaptionCache, read_captions
from toile.errors import ToileError


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "image" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(b"photo")
    return path


def test_captions_are_kept(tmp_path: Path, photo: Path) -> None:
    CaptionCache(tmp_path, "blip").add(photo, "a red shirt, «rouge»")
    assert CaptionCache(tmp_path, "blip").get(photo) == "a red shirt, «rouge»"
    assert json.loads((tmp_path / FILE).read_text())["file"] == "image/a.jpg"
    assert read_captions(tmp_path) == {"image/a.jpg": "a red shirt, «rouge»"}


def test_another_model_or_another_file_is_captioned_anew(tmp_path: Path, photo: Path) -> None:
    CaptionCache(tmp_path, "blip").add(photo, "a red shirt")
    assert CaptionCache(tmp_path, "git").get(photo) is None
    photo.write_bytes(b"another photo")
    assert CaptionCache(tmp_path, "blip").get(photo) is None


def test_the_last_caption_counts(tmp_path: Path, photo: Path) -> None:
    CaptionCache(tmp_path, "blip").add(photo, "a red shirt")
    CaptionCache(tmp_path, "git").add(photo, "a blue shirt")
    assert read_captions(tmp_path) == {"image/a.jpg": "a blue shirt"}
    assert CaptionCache(tmp_path, "blip").get(photo) == "a red shirt"


def test_a_torn_line_is_cut_off(tmp_path: Path, photo: Path) -> None:
    CaptionCache(tmp_path, "blip").add(photo, "one")
    with (tmp_path / FILE).open("a") as lines:
        lines.write('{"file": "image/b.jpg", "si')
    cache = CaptionCache(tmp_path, "blip")
    assert cache.get(photo) == "one"
    other = photo.with_name("b.jpg")
    other.write_bytes(b"other")
    cache.add(other, "two")
    assert read_captions(tmp_path) == {"image/a.jpg": "one", "image/b.jpg": "two"}
    assert len((tmp_path / FILE).read_text().splitlines()) == 2


def test_damage_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"file": "a"}\n')
    with pytest.raises(ToileError, match=r"captions\.jsonl, line 1, is no caption"):
        read_captions(tmp_path)


def test_no_file_no_captions(tmp_path: Path) -> None:
    assert read_captions(tmp_path) == {}
