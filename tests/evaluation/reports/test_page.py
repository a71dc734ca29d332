from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.evaluation.reports.page import MARK, PAGE, document, facts, page_folder


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), page_folder(tmp_path / "page") as beside:
        (beside / PAGE).write_text(MARK)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_older_page_is_replaced_and_anything_else_is_not(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with page_folder(tmp_path / "page") as beside:
            (beside / PAGE).write_text(document(text, ""))
    assert "<title>new</title>" in (tmp_path / "page" / PAGE).read_text()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name, message in (("other", "holds other files"), ("file", "is a file")):
        with pytest.raises(ToileError, match=message), page_folder(tmp_path / name):
            pass
    assert (tmp_path / "other" / "thesis.txt").read_text() == "x"


def test_text_never_becomes_markup() -> None:
    assert "<script>" not in document("<script>", "") + facts([("<script>", "<script>")])
