"""Healthy datasets of dolls, drawn once; a test that breaks one copies it first."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from toile.dolls.layouts import Layout
from toile.dolls.writers import DatasetSettings, write_dataset

SIZE = (128, 96)


def _write(root: Path, layout: Layout) -> Path:
    for split, first, count in (("train", 0, 5), ("test", 100, 2)):
        settings = DatasetSettings(
            out=root, count=count, first_seed=first, layout=layout, split=split, size=SIZE
        )
        write_dataset(settings, progress=False)
    return root


@pytest.fixture(scope="session")
def viton_hd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("healthy") / "viton-hd", "viton-hd")


@pytest.fixture(scope="session")
def dresscode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("healthy") / "dresscode", "dresscode")


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """A copy of a dataset that may be broken."""

    def copied(root: Path) -> Path:
        return Path(shutil.copytree(root, tmp_path / root.name, symlinks=True))

    return copied


@pytest.fixture
def plain_folder(viton_hd: Path, tmp_path: Path) -> Path:
    """The same dolls in a plain folder."""
    root = tmp_path / "plain"
    for theirs, ours in (("image", "persons"), ("cloth", "garments"), ("agnostic-mask", "masks")):
        shutil.copytree(viton_hd / "train" / theirs, root / ours)
    return root
