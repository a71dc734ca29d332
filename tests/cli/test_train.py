"""`toile train`: the list, overriding any field, bad names."""

import json
from pathlib import Path

import pytest

from toile.cli.train import train_command
from toile.errors import ToileError
from toile.training.registry import TRAININGS


def test_lists_every_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert train_command([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in TRAININGS)


def test_unknown_training() -> None:
    with pytest.raises(ToileError, match="there is no training 'igr-huge'"):
        train_command(["igr-huge"])


def test_base_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="initial is None"):
        train_command(["base-clip", "--data", "dolls:0:4", "--folder", str(tmp_path / "run")])


def test_any_field_is_overridden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    words = f"base-vae --data dolls:0:4 --unseen dolls:9:2 --folder {run} --device cpu --seed 5"
    code = train_command(f"{words} --steps 1 --batch-size 2 --size 32 32 --crop 32 32".split())
    assert code == 0
    assert capsys.readouterr().out.strip().endswith(str(run / "export"))
    saved = json.loads((run / "config.json").read_text())
    assert saved["recipe"]["crop"] == [32, 32]
    assert saved["optimization"]["batch_size"] == 2
    assert (run / "export" / "vae" / "config.json").is_file()
