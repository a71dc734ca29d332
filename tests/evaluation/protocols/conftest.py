"""A dataset, a network and good predictions, made once; copy what is to be changed."""

import shutil
from pathlib import Path

import pytest
from tests.evaluation.protocols.small_folder import write_data, write_network, write_predictions


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def doll_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="session")
def good_predictions(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_predictions(small_data, tmp_path_factory.mktemp("predictions") / "good")


@pytest.fixture
def predictions(good_predictions: Path, tmp_path: Path) -> Path:
    """Good predictions that a test may spoil."""
    return Path(shutil.copytree(good_predictions, tmp_path / "predictions"))
