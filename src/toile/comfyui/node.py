"""What all nodes share: their category, the sockets that come again and again, and running a batch.

The nodes follow ComfyUI's first interface (V1), which every version of it reads. Source: docs.comfy.org,
"Custom nodes, properties" and "Datatypes".
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch

from toile.comfyui.host import Listener, make_room
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import CATEGORIES, LARGEST_JAVASCRIPT_SEED, MOST_GUIDANCE, MOST_STEPS, Drawing
from toile.tasks.request import Request
from toile.tasks.result import Result

Socket = tuple[Any, dict[str, Any]]
"""A type by its name, or a list of choices; and what else there is to say about an input."""
Sockets = dict[str, dict[str, Socket]]
"""Inputs by name, `required` ones and `optional` ones."""

MODELS = "TOILE_MODELS"
"""The type of what `ToileModels` gives: an `Atelier`."""
WARDROBE = "TOILE_WARDROBE"
"""The type of what is worn: an `Outfit`."""
LARGEST_SIDE = 8192


class Node:
    """A node; ComfyUI makes one of it, and calls its `run` by the names of its inputs."""

    CATEGORY: ClassVar[str] = "toile"
    FUNCTION: ClassVar[str] = "run"
    TITLE: ClassVar[str]
    """What users read above it."""
    DESCRIPTION: ClassVar[str]
    """What it is for."""
    RETURN_TYPES: ClassVar[tuple[str, ...]]
    RETURN_NAMES: ClassVar[tuple[str, ...]]
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]]

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """The inputs."""
        raise NotImplementedError


def models_socket() -> Socket:
    """An input for models."""
    return MODELS, {"tooltip": "From Load Models."}


def image_socket(what: str) -> Socket:
    """An input for pictures."""
    return "IMAGE", {"tooltip": what}


def mask_socket(what: str) -> Socket:
    """An input for masks."""
    return "MASK", {"tooltip": what}


def choice_socket(choices: Sequence[str], what: str) -> Socket:
    """A choice, of which the first one holds when nothing is chosen."""
    return list(choices), {"default": choices[0], "tooltip": what}


def switch_socket(default: bool, what: str) -> Socket:
    """Something that is or is not done."""
    return "BOOLEAN", {"default": default, "tooltip": what}


def whole_socket(default: int, least: int, most: int, what: str, **further: object) -> Socket:
    """A whole number."""
    return "INT", {"default": default, "min": least, "max": most, "tooltip": what, **further}


def number_socket(default: float, least: float, most: float, what: str) -> Socket:
    """A number."""
    return "FLOAT", {"default": default, "min": least, "max": most, "step": 0.05, "tooltip": what}


def text_socket(default: str, what: str, **further: object) -> Socket:
    """A text."""
    return "STRING", {"default": default, "tooltip": what, **further}


def category_socket() -> Socket:
    """The category of a garment."""
    return choice_socket(CATEGORIES, "What kind of garment it is about.")


def drawing_sockets(drawing: Drawing) -> dict[str, Socket]:
    """How to draw."""
    seed = "Seed of the noise; the next picture of a batch takes the next one."
    return {
        "seed": whole_socket(0, 0, LARGEST_JAVASCRIPT_SEED, seed, control_after_generate=True),
        "steps": whole_socket(0, 0, MOST_STEPS, "Denoising steps; 0 takes the model's own number."),
        "guidance": number_socket(drawing.guidance, 0, MOST_GUIDANCE, "1 is none, and twice as fast."),
    }


def size_sockets() -> dict[str, Socket]:
    """The size to work at."""
    what = "Pixels to work at and to give; 0 is the model's own. Set both, or none."
    return {side: whole_socket(0, 0, LARGEST_SIDE, what, step=8) for side in ("height", "width")}


def drawing_of(steps: int, guidance: float, height: int, width: int) -> Drawing:
    """How to draw, from what was set.

    Raises:
        ToileError: when one side alone is set.
    """
    if bool(height) != bool(width):
        raise ToileError(
            f"height is {height} and width {width}; set both, or leave both 0 for the model's own"
        )
    return Drawing(steps=steps or None, guidance=guidance, size=(height, width) if height else None)


def run_batch(models: Atelier, requests: Sequence[Request]) -> list[Result]:
    """Do requests in one batch, showing each step in ComfyUI.

    Raises:
        ToileError: when one cannot be done, saying which.
    """
    done = []
    for number, result in enumerate(_run_with_room(models, requests), 1):
        if isinstance(result, ToileError):
            which = f"picture {number} of {len(requests)}: " if len(requests) > 1 else ""
            raise ToileError(f"{which}{result}") from result
        done.append(result)
    return done


def _run_with_room(models: Atelier, requests: Sequence[Request]) -> list[Result | ToileError]:
    """Run, and once more without ComfyUI's own models in the memory, when it does not suffice."""
    try:
        return _run(models, requests)
    except ToileError as error:
        if not isinstance(error.__cause__, torch.OutOfMemoryError) or not make_room():
            raise
    return _run(models, requests)


def _run(models: Atelier, requests: Sequence[Request]) -> list[Result | ToileError]:
    listener = Listener(sum(request.total_steps(models.models) for request in requests))
    try:
        return models.run(requests, listener)
    except torch.OutOfMemoryError as error:  # while a model is loaded
        raise ToileError(
            f"there is not enough memory on {models.models.device} for the model; choose another dtype"
        ) from error


def notes_of(results: Sequence[Result]) -> str:
    """What there is to say about results, one line each; and how well each seed did that was tried."""
    lines = []
    for number, result in enumerate(results, 1):
        which = f"picture {number}: " if len(results) > 1 else ""
        lines += [which + note for note in result.notes]
        lines += [f"{which}{_score(seed, distance)}" for seed, distance in _ranked(result.scores)]
    return "\n".join(lines)


def _ranked(scores: Mapping[int, float]) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: item[1])


def _score(seed: int, distance: float) -> str:
    return f"seed {seed}: the garment comes back at a distance of {distance:.4f}"
