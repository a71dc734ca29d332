"""Three systems on the same dolls, made once."""

from pathlib import Path

import pytest
from tests.evaluation.reports.example_results import example

from toile.evaluation.protocols.result import EvaluationResult

Three = tuple[EvaluationResult, EvaluationResult, EvaluationResult]


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the three systems' pictures lie, by their names."""
    return tmp_path_factory.mktemp("systems")


@pytest.fixture(scope="session")
def three(picture_folder: Path) -> Three:
    """A sharp system, a blurred one, and an oracle that is better than both."""
    return (
        example(picture_folder / "sharp & quick", 0.6),
        example(picture_folder / "blurred_<b>", 1.5),
        example(picture_folder / "exact-oracle", 0.3),
    )
