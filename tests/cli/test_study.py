from pathlib import Path

import pytest
import tyro
from PIL import Image
from tests.evaluation.study.answering import fill, prefer

from toile.cli.study import Study, open_study
from toile.errors import ToileError
from toile.evaluation.study.files import read_study


def command(*words: object) -> int:
    """As on the command line, behind `toile study`."""
    config = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes)
    return tyro.cli(Study, args=[str(word) for word in words], config=config).run()


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for method, color in (("ours", "red"), ("theirs", "blue")):
        for number in range(6):
            (tmp_path / method).mkdir(exist_ok=True)
            Image.new("RGB", (6, 8), color).save(tmp_path / method / f"{number}.png")
    return [tmp_path / "ours", tmp_path / "theirs"]


def test_a_study_is_made_answered_and_counted(folders, tmp_path: Path, capsys) -> None:
    out = tmp_path / "study"
    assert command("make", *folders, "-o", out, "--sets", 5, "--seed", 1) == 0
    said = capsys.readouterr()
    assert f"{out}: 6 sets, 5 for each participant" in said.out
    assert "note: 'Align with Prompt' is not asked" in said.err
    server = open_study(out)
    assert len(server.study.form("Ann")["sets"]) == 5
    server.server_close()
    fill(out, "Ann", prefer(out, "ours"))
    fill(out, "Bea", lambda shown, _: shown.results[1])
    assert command("tally", out) == 0
    said = capsys.readouterr()
    assert "| ours | **100.00%** |" in said.out
    assert "note: left out Bea: every answer is the same letter, B" in said.err
    assert command("tally", out, "--style", "latex") == 0
    assert "\\textbf{100.00\\%}" in capsys.readouterr().out


def test_questions_references_and_prompts_are_ones_own(folders, tmp_path: Path) -> None:
    (tmp_path / "prompts.json").write_text('{"0": "a", "1": "b", "2": "c", "3": "d", "4": "e", "5": "f"}')
    words = ["--inputs", folders[1], "--prompts", tmp_path / "prompts.json"]
    command("make", *folders, "-o", tmp_path / "s", *words, "--questions", "Fit: Which fits “{prompt}”?")
    study = read_study(tmp_path / "s")
    assert [question.criterion for question in study.questions] == ["Fit"]
    assert {item.prompt for item in study.items} == set("abcdef")
    assert all(len(item.inputs) == 1 for item in study.items)


def test_mistakes_are_said_in_one_line(folders, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="leave no choice"):
        command("make", folders[0], "-o", tmp_path / "s")
    with pytest.raises(ToileError, match="does not exist"):
        command("tally", tmp_path)
    with pytest.raises(ToileError, match="port is 70000"):
        command("serve", tmp_path, "--port", 70000)
    assert not (tmp_path / "s").exists()
