"""What the tests of tasks share: an atelier of small random models, and pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.small_parser import figure

from toile.tasks.atelier import Atelier
from toile.tasks.models import Models


@pytest.fixture(scope="session")
def make_atelier(igr_folder, twgtm_folder, anydressing_folder, parser_folder) -> Callable[..., Atelier]:
    """Make an atelier of the small random models: `make_atelier(keep=3)`."""

    def make(keep: int = 0, wardrobe: Path | None = None) -> Atelier:
        folders = {"igr": igr_folder, "twgtm": twgtm_folder, "anydressing": anydressing_folder}
        named = {name: str(folder) for name, folder in folders.items()}
        models = Models(**named, parser=str(parser_folder), device="cpu", wardrobe=wardrobe)
        return Atelier(models, keep=keep)

    return make


@pytest.fixture(scope="session")
def atelier(make_atelier) -> Atelier:
    """One for all tests that do not count anything."""
    return make_atelier()


@pytest.fixture(scope="session")
def noise() -> Callable[..., Image.Image]:
    """Make pictures of noise: `noise(1)`."""

    def make(seed: int = 0, size: tuple[int, int] = (40, 60)) -> Image.Image:
        rng = np.random.default_rng(seed)
        return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))

    return make


@pytest.fixture(scope="session")
def ann() -> Image.Image:
    """A photo in which the parser finds an upper garment."""
    return figure()[0]


@pytest.fixture(scope="session")
def bare() -> Image.Image:
    """A photo in which it finds none."""
    return figure((1, 3))[0]
