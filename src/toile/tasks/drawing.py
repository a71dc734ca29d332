"""How a model draws: steps, guidance, size; and the bounds of what every front may ask for."""

from dataclasses import dataclass
from typing import Any

from toile.errors import ToileError

CATEGORIES = ("upper", "lower", "dress")
LARGEST_SEED = 2**63 - 1
LARGEST_JAVASCRIPT_SEED = 2**53 - 1
"""In a browser; beyond it, numbers of JavaScript are no longer whole ones to the last digit."""
MOST_STEPS = 1000
MOST_CANDIDATES = 1000
MOST_GUIDANCE = 100


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How a model draws."""

    steps: int | None = None
    """Denoising steps; None is the model's own number."""
    guidance: float
    """Guidance scale; 1 is none, and twice as fast."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels to work at; None is the model's own."""

    def check(self) -> None:
        """Refuse what no model can draw with, before one is loaded.

        Raises:
            ToileError: naming the setting, its value, and what it may be.
        """
        if self.steps is not None:
            check_count("steps", self.steps, MOST_STEPS)
        if not 0 <= self.guidance <= MOST_GUIDANCE:
            raise ToileError(f"guidance is {self.guidance}; it must lie between 0 and {MOST_GUIDANCE}")
        if self.size is not None and min(self.size) < 1:
            raise ToileError(f"size is {self.size[0]}×{self.size[1]}; a height and a width are at least 1")

    def canvas(self, pipeline: Any) -> tuple[int, int]:
        """(height, width) that a pipeline works at.

        Raises:
            ToileError: when it cannot work at the size that is asked for.
        """
        size: tuple[int, int] = pipeline.check_size(*(self.size or (None, None)))
        return size

    def arguments(self, size: tuple[int, int]) -> dict[str, Any]:
        """The arguments of a pipeline's call, at a size that it can work at."""
        return {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "height": size[0],
            "width": size[1],
        }


IGR_DRAWING = Drawing(guidance=1.5)
"""How IGR draws when it is told nothing else."""
TWGTM_DRAWING = Drawing(guidance=2.5)
"""How TWGTM draws when it is told nothing else."""
ANYDRESSING_DRAWING = Drawing(guidance=6.0)
"""How AnyDressing draws when it is told nothing else."""


def check_category(category: str) -> None:
    """Refuse a category that no model knows.

    Raises:
        ToileError: naming it, and those that there are.
    """
    if category not in CATEGORIES:
        raise ToileError(f"category {category!r} is unknown; write one of {', '.join(CATEGORIES)}")


def check_count(name: str, value: int, most: int | None = None) -> None:
    """Refuse a number of things that is none, or too large.

    Raises:
        ToileError: naming the setting, its value, and what it may be.
    """
    if value < 1 or (most is not None and value > most):
        allowed = "be at least 1" if most is None else f"lie between 1 and {most}"
        raise ToileError(f"{name} is {value}; it must {allowed}")


def check_seeds(seed: int, count: int = 1) -> None:
    """Refuse seeds that do not lie between 0 and the largest one.

    Args:
        seed: the first.
        count: how many follow one another.

    Raises:
        ToileError: naming it.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ToileError(f"seed is {seed}; it must lie between 0 and 2**63 - 1")
    if seed + count - 1 > LARGEST_SEED:
        raise ToileError(f"seed is {seed}; with {count} candidates the last passes 2**63 - 1")
