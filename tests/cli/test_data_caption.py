from pathlib import Path

import pytest
from tests.data.layouts import picture, save
from tests.data.small_networks import blip

from toile.cli.data_caption import Caption, caption_folder
from toile.data.caption_cache import read_captions
from toile.data.captioning import BLIP
from toile.errors import ToileError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("blip")
    blip(folder)
    return str(folder)


def test_the_default_model_is_the_librarys() -> None:
    assert Caption(folder=Path()).model == BLIP


def test_captions_lie_beside_the_photos(
    tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        save(picture(number), tmp_path / "test" / "image" / f"{number}.jpg")
    assert Caption(folder=tmp_path, model=model, batch=2).run() == 0
    assert list(read_captions(tmp_path)) == [f"test/image/{number}.jpg" for number in range(3)]
    assert "3 photos have a caption, 0 could not be read" in capsys.readouterr().out
    before = (tmp_path / "captions.jsonl").read_bytes()
    assert caption_folder(tmp_path, model=model) == (3, 0)
    assert (tmp_path / "captions.jsonl").read_bytes() == before


def test_a_broken_photo_is_one_line(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    save(picture(1), tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    assert Caption(folder=tmp_path, model=model).run() == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "toile:" in line]
    assert len(lines) == 1 and "b.png is an empty file" in lines[0]
    (tmp_path / "a.png").unlink()
    assert Caption(folder=tmp_path, model=model).run() == 2


def test_nonsense_is_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(ToileError, match="holds no pictures"):
        Caption(folder=tmp_path, model=model).run()
    with pytest.raises(ToileError, match="batch is 0"):
        Caption(folder=tmp_path, model=model, batch=0).run()
