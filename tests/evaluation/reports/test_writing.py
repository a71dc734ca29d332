from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.evaluation.reports.writing import check_report_files, report_files, write_reports


def test_tables_and_page_lie_beside_the_result(three, picture_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "sharp.json"
    page = write_reports(three[0], path, predictions=picture_folder / three[0].system)
    assert {entry.name for entry in tmp_path.iterdir()} == {"sharp.md", "sharp.tex", "sharp-report"}
    assert page == tmp_path / "sharp-report" / "index.html" and page.is_file()
    assert "similarity ↑" in report_files(path).markdown.read_text()
    assert "\\toprule" in report_files(path).latex.read_text()
    check_report_files(path)  # an older report may be written over


def test_nothing_of_others_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a-report").mkdir()
    (tmp_path / "a-report" / "mine").touch()
    with pytest.raises(ToileError, match="holds other files"):
        check_report_files(tmp_path / "a.json")
    with pytest.raises(ToileError, match="name of a table"):
        check_report_files(tmp_path / "a.md")
