import sys
from dataclasses import fields
from pathlib import Path

import pytest
import tyro
from tests.dolls_predictions import write_doll_predictions

from toile.cli.evaluate import Evaluate, WeightOptions, protocol_list
from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.protocols.catalogue import PROTOCOLS
from toile.evaluation.protocols.result import read_result


def test_the_options_are_the_backbones() -> None:
    assert {field.name for field in fields(WeightOptions)} == {field.name for field in fields(Backbones)}
    given = WeightOptions(inception=Path("a"), clip="b/c")
    made = Evaluate(protocol="x", weights=given).options().backbones
    assert made == Backbones(inception=Path("a"), clip="b/c")


def test_a_folder_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_doll_predictions(tmp_path / "mine", 5, 3)
    words = [tmp_path / "mine", "--protocol", "dolls", "--task", "restore", "--data", "dolls:5:3"]
    command = tyro.cli(Evaluate, args=[*map(str, words), "--metrics", "psnr", "l1_within"])
    assert command.run() == 0
    said = capsys.readouterr()
    path = tmp_path / "mine-dolls-restore.json"
    page = tmp_path / "mine-dolls-restore-report" / "index.html"
    assert said.out.splitlines()[-2:] == [str(path), str(page)] and said.out.startswith("PSNR ↑  ")
    assert page.is_file() and path.with_suffix(".tex").is_file() and path.with_suffix(".md").is_file()
    assert "not the benchmark" in said.err
    result = read_result(path)
    assert result.count == 3 and result.system == "mine" and not result.conforming


def test_without_a_report_there_is_a_result_alone(tmp_path: Path) -> None:
    write_doll_predictions(tmp_path / "mine", 5, 2)
    words = [tmp_path / "mine", "--protocol", "dolls-restore", "--data", "dolls:5:2"]
    command = tyro.cli(Evaluate, args=[*map(str, words), "--metrics", "psnr", "--no-report"])
    assert command.run() == 0
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "mine-dolls-restore.json"}


def test_refusals_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no folder of predictions"):
        Evaluate(protocol="dolls-restore").run()
    with pytest.raises(ToileError, match="does not exist"):
        Evaluate(predictions=tmp_path / "none", protocol="dolls-restore", data="dolls:5:2").run()
    with pytest.raises(ToileError, match="cannot be allowed; what can: missing"):
        Evaluate(predictions=tmp_path, protocol="dolls-restore", allow=("everything",)).run()


def test_the_list_names_every_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert Evaluate(protocol="list").run() == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(PROTOCOLS)
    assert protocol_list().count("\n") == len(PROTOCOLS) - 1


def test_the_command_is_light() -> None:
    import subprocess

    script = "import sys, toile.cli.evaluate, toile.cli.benchmark; print({'torch', 'cv2'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
