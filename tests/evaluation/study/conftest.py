"""A small study: three methods, six sets in two groups, with references and prompts."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from toile.cli.study import open_study
from toile.evaluation.study.make import make_study
from toile.evaluation.study.server import StudyServer

METHODS = ("secret-ours", "secret-theirs", "secret-third")
NAMES = tuple(f"{group}/zebra-{number}" for group in ("multi", "single") for number in range(3))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Results of three methods and one folder of references, whose files say who made them."""
    for number, folder in enumerate((*METHODS, "references")):
        said = PngInfo()
        said.add_text("toile", json.dumps({"model": folder}))
        for place, name in enumerate(NAMES):
            path = tmp_path / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(10 * place + number).integers(0, 256, (32, 24, 3), np.uint8)
            Image.fromarray(pixels).save(path, pnginfo=said)
    return [tmp_path / folder for folder in (*METHODS, "references")]


@pytest.fixture
def study_folder(folders: list[Path], tmp_path: Path) -> Path:
    """The study, of which everybody sees four sets."""
    make_study(
        folders[:3],
        tmp_path / "study",
        inputs=folders[3:],
        prompts={name: f"in a park, {place}" for place, name in enumerate(NAMES)},
        sets=4,
        seed=7,
    )
    return tmp_path / "study"


@pytest.fixture
def serve(study_folder: Path) -> Iterator[Callable[[], StudyServer]]:
    """Serve the study, again and again, as after a restart."""
    servers: list[tuple[StudyServer, threading.Thread]] = []

    def start() -> StudyServer:
        server = open_study(study_folder)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()
