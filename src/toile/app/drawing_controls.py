"""How to draw: category, seed, steps, guidance, and how many seeds."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from toile.app.limits import Limits
from toile.errors import ToileError
from toile.tasks.drawing import LARGEST_JAVASCRIPT_SEED, Drawing

CATEGORY_LABELS = [("Upper body", "upper"), ("Lower body", "lower"), ("Dress", "dress")]


def category_choice(name: str) -> gr.Radio:
    """What kind of garment it is about."""
    return gr.Radio(CATEGORY_LABELS, value="upper", label="Garment", elem_id=f"{name}-category")


@dataclass(frozen=True, kw_only=True)
class DrawingControls:
    """The controls that every task has."""

    seed: gr.Number
    """Of the first picture."""
    steps: gr.Slider
    """Denoising steps; 0 is the model's own number."""
    guidance: gr.Slider
    """Guidance scale."""
    candidates: gr.Slider
    """Pictures to draw, each with the next seed."""

    @property
    def components(self) -> dict[str, Any]:
        """The controls by their names, in order."""
        return {
            "seed": self.seed,
            "steps": self.steps,
            "guidance": self.guidance,
            "candidates": self.candidates,
        }

    @property
    def settings(self) -> dict[str, Any]:
        """Those that a PNG says something of."""
        return {"seed": self.seed, "steps": self.steps, "guidance": self.guidance}


def drawing_controls(name: str, usual: Drawing, own_steps: int, limits: Limits) -> DrawingControls:
    """Draw the controls.

    Args:
        name: of the tab, for the elements' names.
        usual: what they say at first.
        own_steps: of the model; 0 takes them, where the limits allow as many.
        limits: how far they go.
    """
    with gr.Row(elem_classes=["controls"]):
        seed = gr.Number(
            0,
            label="Seed",
            precision=0,
            minimum=0,
            maximum=LARGEST_JAVASCRIPT_SEED,
            min_width=90,
            elem_id=f"{name}-seed",
        )
        candidates = gr.Slider(
            1, limits.candidates, 1, step=1, label="Pictures", min_width=140, elem_id=f"{name}-candidates"
        )
    with gr.Row(elem_classes=["controls"]):
        most = limits.steps
        own = (0, 0, f"Steps (0: the model's {own_steps})")
        least, shown, label = own if own_steps <= most else (1, most, "Steps")
        steps = gr.Slider(least, most, shown, step=1, label=label, min_width=140, elem_id=f"{name}-steps")
        guidance = gr.Slider(
            1, 15, usual.guidance, step=0.1, label="Guidance", min_width=140, elem_id=f"{name}-guidance"
        )
    return DrawingControls(seed=seed, steps=steps, guidance=guidance, candidates=candidates)


def drawing_of(steps: float | None, guidance: float | None, limits: Limits) -> Drawing:
    """What the controls say.

    Raises:
        ToileError: when one is empty or out of range.
    """
    wanted = Drawing(steps=whole(steps, "steps") or None, guidance=_number(guidance, "guidance"))
    if wanted.steps is not None and not 1 <= wanted.steps <= limits.steps:
        raise ToileError(f"steps is {wanted.steps}; it must lie between 1 and {limits.steps}")
    wanted.check()
    return wanted


def seeds_of(seed: float | None, candidates: float | None, limits: Limits) -> range:
    """The seeds to draw with.

    Raises:
        ToileError: when a control is empty or out of range.
    """
    first, count = whole(seed, "seed"), whole(candidates, "pictures")
    if not 1 <= count <= limits.candidates:
        raise ToileError(f"pictures is {count}; it must lie between 1 and {limits.candidates}")
    if not 0 <= first <= LARGEST_JAVASCRIPT_SEED - count:
        raise ToileError(f"seed is {first}; it must lie between 0 and 2**53 - 1")
    return range(first, first + count)


def whole(value: object, name: str) -> int:
    """What a control for whole numbers says.

    Raises:
        ToileError: when it says nothing, or no whole number.
    """
    number = _number(value, name)
    if number != int(number):
        raise ToileError(f"{name} is {number:g}; write a whole number")
    return int(number)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**63:
        raise ToileError(f"{name} is empty or no number; write one")
    return value
