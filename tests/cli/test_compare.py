from dataclasses import replace
from pathlib import Path

import pytest
import tyro
from tests.evaluation.reports.example_results import example

from toile.cli.compare import Compare
from toile.errors import ToileError
from toile.evaluation.protocols.result import write_result


def command(*words: object) -> int:
    """As on the command line, behind `toile compare`."""
    return tyro.cli(Compare, args=[str(word) for word in words], config=(tyro.conf.OmitArgPrefixes,)).run()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results beside the predictions that they are of; `other` was measured otherwise."""
    folder = tmp_path_factory.mktemp("results")
    for name, blur in (("sharp", 0.6), ("blurred", 1.5)):
        write_result(example(folder / name, blur, count=4), folder / f"{name}.json")
    other = example(folder / "other", 1.0, count=4)
    protocol = {**other.protocol, "version": 2}
    write_result(replace(other, protocol=protocol, protocol_hash="1" * 64), folder / "other.json")
    return folder


def test_tables_are_printed_and_a_page_is_written(results: Path, tmp_path: Path, capsys) -> None:
    assert command(results / "sharp.json", results / "blurred.json", "-o", tmp_path / "page") == 0
    out = capsys.readouterr().out
    assert "| sharp | **0." in out and "| − blurred | " in out
    assert out.splitlines()[-1] == str(tmp_path / "page" / "index.html")
    assert len(list((tmp_path / "page" / "pictures").glob("*.jpg"))) == 8


def test_latex_can_be_asked_for(results: Path, capsys) -> None:
    command(results / "sharp.json", results / "blurred.json", "--style", "latex")
    assert capsys.readouterr().out.count("\\begin{tabular}") == 2


def test_other_protocols_are_refused_unless_asked_for(results: Path, capsys) -> None:
    paths = [results / "sharp.json", results / "other.json"]
    with pytest.raises(ToileError, match="version is 1 and 2"):
        command(*paths)
    assert capsys.readouterr().out == ""
    assert command(*paths, "--different-protocols") == 0
    said = capsys.readouterr()
    assert said.out.startswith("| what differs | sharp | other |") and "| version | 1 | 2 |" in said.out
    assert "note: not measured alike" in said.err


def test_mistakes_are_said_before_anything_is_printed(results: Path, tmp_path: Path, capsys) -> None:
    sharp, blurred = results / "sharp.json", results / "blurred.json"
    moved = tmp_path / "moved.json"
    moved.write_bytes(blurred.read_bytes())
    for words, message in (
        ([sharp], "at least two"),
        ([sharp, tmp_path / "gone.json"], "does not exist"),
        ([sharp, moved, "-o", tmp_path / "page"], "are not beside it"),
        ([sharp, moved, "-o", tmp_path / "page", "--predictions", results / "sharp"], "2 results need"),
        ([sharp, moved, "-o", tmp_path / "page", "--predictions", results, tmp_path / "x"], "is no folder"),
    ):
        with pytest.raises(ToileError, match=message):
            command(*words)
    assert capsys.readouterr().out == "" and not (tmp_path / "page").exists()
