"""What a run reads: opened, described, and a broken picture does not end it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toile.diffusion.recipes import VaeRecipe
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.errors import ToileError
from toile.training.base_vae import train_vae
from toile.training.configuration import read_configuration
from toile.training.pairs import faults_of, open_run_pairs
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SIZE = (64, 48)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Four pairs on disk, one of them with half a photo."""
    folder = tmp_path / "set"
    write_dataset(DatasetSettings(out=folder, count=4, size=SIZE), progress=False)
    photo = sorted((folder / "train" / "image").iterdir())[2]
    photo.write_bytes(photo.read_bytes()[:700])
    return folder


def test_a_run_survives_a_broken_picture_and_names_it(dataset: Path, tmp_path: Path, capsys) -> None:
    recipe = VaeRecipe(size=SIZE, crop=None, crops_per_picture=1)
    recipe = replace(recipe, optimization=replace(recipe.optimization, steps=3, batch_size=2, warmup_steps=1))
    sources = Sources(data=str(dataset), unseen="dolls:9:2")
    run = RunSettings(folder=tmp_path / "run", device="cpu", workers=2)
    train_vae(recipe, sources, run)
    said = [line for line in capsys.readouterr().err.splitlines() if "toile: " in line]
    assert len(faults_of(run.folder).faults()) == 1
    assert "1 pair could not be read" in said[-1]
    described = (read_configuration(run.folder / "config.json") or {})["data"]
    assert described["training"]["pairs"] == 4 and described["training"]["source"] == str(dataset)


def test_only_training_pairs_are_changed(tmp_path: Path) -> None:
    sources = Sources(data="dolls:0:4", unseen="dolls:9:3")
    run = RunSettings(folder=tmp_path)
    pairs = open_run_pairs(sources, run, SIZE, lambda given: [given[0]])
    assert (len(pairs.training), len(pairs.unseen)) == (1, 3)
    whole = open_run_pairs(sources, run, SIZE)
    assert pairs.description["unseen"] == whole.description["unseen"]
    assert pairs.description["training"]["fingerprint"] != whole.description["training"]["fingerprint"]


def test_augmented_pairs_come_in_epochs_and_count(tmp_path: Path) -> None:
    run = RunSettings(folder=tmp_path)
    plain = open_run_pairs(Sources(data="dolls:0:3", unseen="dolls:9:2"), run, SIZE)
    sources = Sources(data="dolls:0:3", unseen="dolls:9:2", augmented_epochs=2)
    pairs = open_run_pairs(sources, run, SIZE)
    assert (len(pairs.training), len(pairs.unseen)) == (6, 2)
    pictures = [np.asarray(pairs.training[index].person) for index in (0, 3)]
    assert not (pictures[0] == pictures[1]).all()  # the same pair, changed in two ways
    assert pairs.description["training"]["fingerprint"] != plain.description["training"]["fingerprint"]
    with pytest.raises(ToileError, match="augmented_epochs is -1"):
        Sources(augmented_epochs=-1)
