"""What workers of a run are made from, and what they answer with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from toile.catalogue.manifest import Row
from toile.catalogue.sinks import SinkKind
from toile.errors import ToileError
from toile.tasks.every import REQUESTS
from toile.tasks.models import Models, System
from toile.tasks.request import Request
from toile.tasks.result import Result


@runtime_checkable
class Drawer(Protocol):
    """What draws: an `Atelier`, or what stands in for one."""

    def run(self, requests: Sequence[Request]) -> list[Result | ToileError]:
        """Do requests of one group in one batch; for each its result, or why it alone cannot be done.

        Raises:
            ToileError: when none of them can be done.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """What every worker of a run is made from; it can be sent to another process."""

    task: str
    """What is done with each item."""
    models: Models = field(default_factory=Models)
    """What it is done with."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Settings of the requests, where an item has none of its own."""
    output: Path
    """The output folder."""
    sink: SinkKind = "folder"
    """How pictures are kept there."""
    items: int
    """How many items the whole list has."""
    batch: int = 1
    """Items that are drawn at once."""
    keep: int = 64
    """Encoded garments that are kept for items that show the same picture."""
    number: int = 0
    """Which worker of its computer this is, from 0: on several GPUs they take turns."""
    drawer: "Callable[[WorkerSettings], Drawer] | None" = None
    """Makes what draws, ready to draw; None is the atelier, which brings torch with it."""

    def make_drawer(self) -> Drawer:
        """What draws, with its models loaded.

        Raises:
            ToileError: when one is not there, or cannot work at the size that the run asks for.
        """
        return (self.drawer or _atelier)(self)

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems that the run's own settings need; an item's settings may need a further one."""
        systems = REQUESTS[self.task].systems
        return systems if self.defaults.get("through") == "igr" else systems[:1]


def _atelier(settings: WorkerSettings) -> Drawer:
    from torch.cuda import device_count

    from toile.tasks.atelier import Atelier

    models = settings.models
    if models.device in ("auto", "cuda") and device_count() > 1:
        models = replace(models, device=f"cuda:{settings.number % device_count()}")
    atelier, size = Atelier(models, keep=settings.keep), settings.defaults.get("size")
    for system in settings.systems:
        atelier.canvas(system, cast(tuple[int, int] | None, size))
    return atelier


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a block."""

    block: int
    """Its number."""
    rows: tuple[Row, ...]
    """One an item, in their order."""
    model_seconds: float
    """That were spent drawing."""
