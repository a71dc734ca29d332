"""How a catalogue is done: what draws, how the work is divided, and what has to stay on resumption."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from toile.catalogue.job import Drawer, WorkerSettings
from toile.catalogue.sinks import SinkKind
from toile.errors import ToileError
from toile.tasks.drawing import check_count
from toile.tasks.every import REQUESTS
from toile.tasks.models import Models

EngineName = Literal["local", "ray"]
MOST_WORKERS = 10_000


@dataclass(frozen=True, kw_only=True)
class CatalogueSettings:
    """How a catalogue is done. What changes pictures has to stay when a run is taken up again."""

    models: Models = field(default_factory=Models)
    """What draws."""
    defaults: Mapping[str, object] = field(default_factory=dict)
    """Settings of the requests, by the names of a list's columns, where an item has none of its own."""
    sink: SinkKind = "folder"
    """How pictures are kept."""
    batch: int = 1
    """Items that are drawn at once."""
    shard_size: int = 100
    """Items of one shard, which is written when all of them are drawn: stopping before loses these."""
    workers: int = 1
    """Processes, or actors, that draw."""
    engine: EngineName = "local"
    """Where they run."""
    address: str | None = None
    """Of the Ray cluster; None starts Ray on this computer."""
    threads: int | None = None
    """Of each worker; None divides the processors among them."""
    timeout: float | None = None
    """Seconds that a block may take before its worker is ended; None is any time."""
    retry_failed: bool = False
    """Do the items again that failed before."""
    drawer: Callable[[WorkerSettings], Drawer] | None = None
    """Makes what draws, in each worker; None is the atelier."""

    def __post_init__(self) -> None:
        """See that the numbers make sense.

        Raises:
            ToileError: naming the one that does not.
        """
        for name in ("batch", "shard_size"):
            check_count(name.replace("_", " "), getattr(self, name))
        check_count("workers", self.workers, MOST_WORKERS)
        if self.threads is not None:
            check_count("threads", self.threads)
        if self.timeout is not None and self.timeout <= 0:
            raise ToileError(f"timeout is {self.timeout}; it must be more than 0 seconds")
        if self.address is not None and self.engine != "ray":
            raise ToileError(f"address {self.address!r} is one of Ray; write --engine ray with it")

    @property
    def block_size(self) -> int:
        """Items of a block."""
        return self.batch if self.sink == "folder" else max(self.shard_size, self.batch)

    def in_words(self, task: str) -> str:
        """How it is done, in a line."""
        system = REQUESTS[task].systems[0]
        own = {name: value for name, value in self.defaults.items() if value not in (None, "")}
        words = [f"model {self.models.of(system)}", *(f"{name} {value}" for name, value in own.items())]
        workers = "1 worker" if self.workers == 1 else f"{self.workers} workers"
        return " · ".join((*words, f"batch {self.batch}", f"{workers} ({self.engine})"))

    def description(self) -> dict[str, Any]:
        """All that pictures depend on, and how they are kept."""
        models = asdict(self.models) | {"wardrobe": self.models.wardrobe and str(self.models.wardrobe)}
        del models["device"]  # may be another one on the next day
        return {
            "settings": dict(self.defaults),
            "models": models,
            "output": self.sink,
            "batch": self.batch,
            "items of a block": self.block_size,
        }
