"""What ComfyUI offers to nodes that run within it: folders of models, a device, progress, interruption.

Only modules that are loaded already are used, so that nothing of the like is looked for elsewhere. Source:
ComfyUI's `folder_paths`, `comfy.utils.ProgressBar` and `comfy.model_management`.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toile.tasks.step import Step

if TYPE_CHECKING:
    from PIL import Image

MODELS = "toile"
"""The folder below ComfyUI's `models`, and its name in `extra_model_paths.yaml`."""
PREVIEW_SIZE = 512
"""Pixels of a preview's longer side."""
PREVIEW_SECONDS, PREVIEW_SHARE = 2.0, 0.1
"""Ours: the least time between two previews, and the largest share of all time that they take."""


def _loaded(name: str) -> Any:
    """A module of ComfyUI's, or None outside of it."""
    return sys.modules.get(name)


def model_folders() -> list[Path]:
    """Where models may lie: ComfyUI's `models/toile`, and what `extra_model_paths.yaml` adds."""
    folder_paths = _loaded("folder_paths")
    if folder_paths is None:
        return []
    own = str(Path(folder_paths.models_dir) / MODELS)
    folder_paths.add_model_folder_path(MODELS, own)
    return [Path(folder) for folder in folder_paths.get_folder_paths(MODELS)]


def default_device() -> str:
    """The device that ComfyUI computes on, or `auto`."""
    management = _loaded("comfy.model_management")
    return "auto" if management is None else str(management.get_torch_device())


def stop_if_interrupted() -> None:
    """Raise ComfyUI's own exception when its user has pressed Cancel."""
    management = _loaded("comfy.model_management")
    if management is not None:
        management.throw_exception_if_processing_interrupted()


def make_room() -> bool:
    """Have ComfyUI move its own models out of the GPU's memory; returns whether there was anybody to ask."""
    management = _loaded("comfy.model_management")
    if management is None:
        return False
    management.unload_all_models()
    management.soft_empty_cache()
    return True


class Listener:
    """Shows each denoising step in ComfyUI, with a preview now and then, and stops when Cancel is pressed.

    Args:
        steps: of all pictures together.
    """

    def __init__(self, steps: int) -> None:
        utilities = _loaded("comfy.utils")
        self.bar = None if utilities is None else utilities.ProgressBar(steps)
        self.done = 0
        self._next_preview = time.monotonic() + PREVIEW_SECONDS

    def __call__(self, step: Step) -> None:
        """Be told of a step."""
        stop_if_interrupted()
        self.done += step.items
        if self.bar is not None:
            self.bar.update_absolute(self.done, None, self._preview(step))

    def _preview(self, step: Step) -> "tuple[str, Image.Image, int] | None":
        """The first picture as far as it has come, when it is time for it; as ComfyUI sends previews."""
        started = time.monotonic()
        if started < self._next_preview:
            return None
        picture = step.preview()[0]
        ended = time.monotonic()
        self._next_preview = ended + max(PREVIEW_SECONDS, (ended - started) / PREVIEW_SHARE)
        return "JPEG", picture, PREVIEW_SIZE
