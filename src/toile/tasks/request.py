"""A request: one thing to be done to clothes in pictures, with everything that it takes."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image

from toile.tasks.drawing import Drawing, check_seeds
from toile.tasks.masks import Region
from toile.tasks.models import Models, System

if TYPE_CHECKING:
    from toile.tasks.atelier import Atelier
    from toile.tasks.result import Result
    from toile.tasks.step import OnStep


@dataclass(frozen=True, kw_only=True)
class Request(ABC):
    """One thing to be done; a subclass for each task holds the task's pictures and settings."""

    task: ClassVar[str]
    """The task's name, as the command line has it."""
    systems: ClassVar[tuple[System, ...]]
    """The systems that can be needed for it; the first one draws the result."""
    seed: int = 0
    """Seed of the noise."""
    drawing: Drawing
    """How to draw."""

    def check(self) -> None:
        """Refuse what no model can do, before one is loaded.

        Raises:
            ToileError: naming the setting, its value, and what it may be.
        """
        check_seeds(self.seed)
        self.drawing.check()

    @property
    def group(self) -> Hashable:
        """What requests share that can be done in one batch."""
        return self.task, self.drawing

    def steps(self, models: Models) -> tuple[int, ...]:
        """The denoising steps of each picture that these models draw for it, intermediate ones included.

        Raises:
            ToileError: when one of them is not there.
        """
        return (self.drawing.steps or models.steps(self.systems[0]),)

    def total_steps(self, models: Models) -> int:
        """How many denoising steps it takes by these models; see `steps`."""
        return sum(self.steps(models))

    def settings(self) -> dict[str, object]:
        """Every setting, as JSON has it, without the pictures."""
        drawing = {"guidance": self.drawing.guidance, "seed": self.seed}
        steps = {} if self.drawing.steps is None else {"steps": self.drawing.steps}
        size = {} if self.drawing.size is None else {"size": list(self.drawing.size)}
        return {"task": self.task, **steps, **drawing, **size}

    @abstractmethod
    def prepare(self, atelier: "Atelier") -> "Ready":
        """Find out where to work, which may fail for this request alone.

        Raises:
            ToileError: when it cannot be done.
        """

    @classmethod
    @abstractmethod
    def draw(cls, atelier: "Atelier", ready: "Sequence[Ready]", on_step: "OnStep") -> "list[Result]":
        """Draw requests of one group in one batch.

        Raises:
            ToileError: when none of them can be drawn.
        """


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A request that nothing stands in the way of any more."""

    request: Any
    """The request; each task reads its own."""
    regions: Mapping[str, Region] = field(default_factory=dict)
    """Where to work, by the name of the request's field that asked for it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say about the regions."""
        return tuple(region.note for region in self.regions.values() if region.note)

    def mask(self, name: str) -> Image.Image:
        """The mask of a region that is never the whole photo."""
        mask = self.regions[name].mask
        assert mask is not None
        return mask

    def origins(self) -> dict[str, object]:
        """Where the regions come from, for a picture's metadata."""
        return {name: region.origin for name, region in self.regions.items()}
