from pathlib import Path

import pytest

from toile.whole import remove_leftovers, whole_folder, write_whole


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "export"
    for text in ("old", "new"):
        with whole_folder(target) as folder:
            (folder / text).write_text(text)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_after_an_error_the_old_folder_is_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "export"
    with whole_folder(target) as folder:
        (folder / "old").touch()
    with pytest.raises(ValueError, match="no"), whole_folder(target) as folder:
        (folder / "new").touch()
        raise ValueError("no")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a.unfinished", ".b.old", "c", ".d"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".d", "c"]


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b.txt", "text")
    assert (tmp_path / "a/b.txt").read_text() == "text"
    assert len(list((tmp_path / "a").iterdir())) == 1
