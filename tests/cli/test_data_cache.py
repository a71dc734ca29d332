"""`toile data cache`: several processes encode what a training then finds."""

from dataclasses import replace
from pathlib import Path

import pytest

from toile.cli.data_cache import cache_command, take_workers
from toile.data.latent_cache import LatentCache
from toile.errors import ToileError
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources


def test_two_processes_encode_what_the_training_reads(tmp_path: Path, capsys) -> None:
    words = ["igr-tiny-coarse", "--workers", "2", "--data", "dolls:0:9", "--unseen", "dolls:20:3"]
    words += ["--cache", str(tmp_path / "cache"), "--size", "64", "32", "--device", "cpu", "--threads", "1"]
    words += ["--folder", str(tmp_path / "run")]
    assert cache_command(words) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "cache")
    folders = sorted(path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    assert sorted(len(LatentCache(folder)) for folder in folders) == [3, 9]  # a cache with a gap is refused
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")}
    training = find_training("igr-tiny-coarse")
    recipe = training.recipe()
    sources = Sources(data="dolls:0:9", unseen="dolls:20:3", cache=tmp_path / "cache")
    assert training.encode is not None
    training.encode(replace(recipe, size=(64, 32)), sources, RunSettings(folder=tmp_path / "run"))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.safetensors")} == written


def test_the_number_of_processes() -> None:
    words = ["--data", "x", "--workers", "3", "--threads", "1"]
    assert take_workers(words) == 3 and words == ["--data", "x", "--threads", "1"]
    assert take_workers([]) == 1
    for wrong in (["--workers"], ["--workers", "0"], ["--workers", "many"]):
        with pytest.raises(ToileError, match="workers is"):
            take_workers(wrong)


def test_what_cannot_be_encoded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="base-vae reads pictures as they are"):
        cache_command(["base-vae"])
    with pytest.raises(ToileError, match="there is no training 'nothing'"):
        cache_command(["nothing"])
    with pytest.raises(ToileError, match="keeps nothing"):
        cache_command(["base", "--cache", "None"])


def test_help_names_the_trainings(capsys) -> None:
    assert cache_command([]) == 0
    assert "igr-tiny-coarse" in capsys.readouterr().out
