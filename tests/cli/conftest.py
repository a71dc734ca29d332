"""What the tests of the commands share: pictures, a model, and a way to run `toile`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.runs import Run

from toile.cli.main import main


@pytest.fixture
def empty_working_directory(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("work")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def toile(empty_working_directory, capfd) -> Callable[..., Run]:
    """Run `toile` in this process with one step on the CPU, where nothing else is said."""

    def run(*arguments: object) -> Run:
        words = [str(word) for word in arguments]
        for option, value in {"--steps": "1", "--device": "cpu"}.items():
            words += [] if option in words else [option, value]
        try:
            code = main(words)
        except SystemExit as exit_:
            code = exit_.code
        out, err = capfd.readouterr()
        lines = [line.split("\r")[-1] for line in err.splitlines()]
        said = [line for line in lines if line.startswith(("toile:", "note:")) or "Traceback" in line]
        return Run(code=code, out=out, said=said, errors=err)

    return run


@pytest.fixture
def noise_file(tmp_path: Path) -> Callable[..., Path]:
    """Make pictures of noise: `noise_file("a.png", seed=1)`."""

    def make(name: str, seed: int = 0, size: tuple[int, int] = (40, 60)) -> Path:
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def mask_file(tmp_path: Path) -> Callable[..., Path]:
    """Make masks that mark one rectangle: `mask_file("m.png", box=(10, 10, 30, 50))`."""

    def make(
        name: str = "m.png",
        box: tuple[int, int, int, int] = (10, 10, 30, 50),
        size: tuple[int, int] = (40, 60),
    ) -> Path:
        mask = Image.new("L", size, 0)
        mask.paste(255, box)
        mask.save(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def garments(noise_file) -> tuple[Path, Path]:
    """A shirt and trousers."""
    return noise_file("shirt.jpg", 1, (50, 50)), noise_file("jeans.png", 2)


@pytest.fixture
def dress(toile, anydressing_folder, garments) -> Callable[..., Run]:
    """Run `toile dress` with the small random model."""

    def run(*options: object, upper=garments[0], lower=garments[1]) -> Run:
        words = [*options]
        for option, value in {"--prompt": "a woman in a park", "--model": anydressing_folder}.items():
            words += [] if option in words else [option, value]
        for option, value in {"--upper": upper, "--lower": lower}.items():
            words += [] if value is None else [option, value]
        return toile("dress", *words)

    return run
