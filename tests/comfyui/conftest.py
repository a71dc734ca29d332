"""What the tests of the nodes share: a stand-in for ComfyUI's own modules, small models, dolls as tensors.

The stand-in has the few functions that the nodes call, with the signatures and meanings of ComfyUI's source.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from toile.comfyui.dolls import FIRST_UNSEEN, ToileDoll
from toile.tasks.atelier import Atelier
from toile.tasks.models import Models


class Interrupted(Exception):
    """ComfyUI's InterruptProcessingException."""


@dataclass
class Host:
    """ComfyUI, as far as nodes see it."""

    folder: Path
    """Its `models`."""
    interrupt_at: int | None = None
    """The step at which its user presses Cancel."""
    steps: int = 0
    """How often nodes have looked whether that was pressed."""
    bars: list[Any] = field(default_factory=list)
    """Every progress bar that was made."""
    device: str = "cpu"
    """What it computes on."""
    emptied: int = 0
    """How often it has moved its models out of the memory."""

    def unload_all_models(self) -> None:
        self.emptied += 1

    def throw_if_interrupted(self) -> None:
        self.steps += 1
        if self.interrupt_at == self.steps:
            raise Interrupted


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Make the nodes believe that they run within ComfyUI."""
    made = Host(folder=tmp_path / "models")
    paths: dict[str, list[str]] = {}

    class ProgressBar:
        def __init__(self, total: int, node_id: str | None = None) -> None:
            self.total, self.seen = total, []
            made.bars.append(self)

        def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
            self.seen.append((value, preview))

    def add_model_folder_path(name: str, folder: str, is_default: bool = False) -> None:
        if folder not in paths.setdefault(name, []):
            paths[name].append(folder)

    modules: dict[str, dict[str, Any]] = {
        "folder_paths": {
            "models_dir": str(made.folder),
            "add_model_folder_path": add_model_folder_path,
            "get_folder_paths": lambda name: list(paths[name]),
        },
        "comfy.utils": {"ProgressBar": ProgressBar},
        "comfy.model_management": {
            "throw_exception_if_processing_interrupted": made.throw_if_interrupted,
            "get_torch_device": lambda: torch.device(made.device),
            "unload_all_models": made.unload_all_models,
            "soft_empty_cache": lambda: None,
        },
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return made


@pytest.fixture(scope="session")
def doll() -> Callable[..., tuple]:
    """Draw dolls as a graph does: photo, garment, mask, caption."""

    def draw(index: int = 0, category: str = "upper", size: tuple[int, int] = (64, 48)) -> tuple:
        return ToileDoll().run(FIRST_UNSEEN + index, category, "studio", *size)

    return draw


@pytest.fixture(scope="session")
def model_folders(igr_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small random model of each system, in its real layout, for pictures of 64×32."""
    from tests.anydressing import small_pipeline as anydressing
    from tests.twgtm import small_pipeline as twgtm

    folder = tmp_path_factory.mktemp("models")
    twgtm.small_pipeline().save_pretrained(folder / "twgtm")
    anydressing.small_pipeline().save_pretrained(folder / "anydressing")
    return {"igr": igr_folder, "twgtm": folder / "twgtm", "anydressing": folder / "anydressing"}


@pytest.fixture(scope="session")
def models(model_folders: dict[str, Path]) -> Atelier:
    """What `ToileModels` gives, with the small models."""
    named = {system: str(folder) for system, folder in model_folders.items()}
    return Atelier(Models(**named, device="cpu"), keep=16)
