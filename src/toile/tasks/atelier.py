"""The atelier: the models, each loaded once, and what they do with requests."""

from collections.abc import Sequence
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from toile import __version__
from toile.errors import ToileError
from toile.tasks.encodings import Encodings
from toile.tasks.masks import MaskFinder
from toile.tasks.models import Models, System, check_dtype, found_device, load_pipeline
from toile.tasks.request import Ready, Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, no_steps

if TYPE_CHECKING:
    from toile.wardrobe_store import WardrobeStore


class Atelier:
    """Does requests, a batch at a time, with models that it loads when they are first needed.

    Several threads may call `run`; their batches are done one after another.

    Args:
        models: which ones.
        keep: encoded garments to keep, for requests that show the same picture again.

    Raises:
        ToileError: when there is no such kind of number.
    """

    def __init__(self, models: Models | None = None, *, keep: int = 0) -> None:
        self.models = models or Models()
        check_dtype(self.models.dtype)
        self.kept = Encodings(keep)
        self._pipelines: dict[System, Any] = {}
        self._finder: MaskFinder | None = None
        self._lock = RLock()  # around what loads, too: two threads that import transformers block each other

    @property
    def encodings(self) -> int:
        """How many garments were encoded so far."""
        return self.kept.made

    @property
    def finder(self) -> MaskFinder:
        """What finds masks.

        Raises:
            ToileError: when the parser that was named cannot be loaded.
        """
        with self._lock:
            if self._finder is None:
                self._finder = MaskFinder(self.models.parser, found_device(self.models.device))
            return self._finder

    @cached_property
    def wardrobe(self) -> "WardrobeStore":
        """The outfits that are kept."""
        from toile.wardrobe_store import WardrobeStore

        return WardrobeStore() if self.models.wardrobe is None else WardrobeStore(self.models.wardrobe)

    def load(self, *systems: System) -> None:
        """Load models ahead of time.

        Raises:
            ToileError: when one is not there.
        """
        for system in systems:
            self.pipeline(system)

    def pipeline(self, system: System) -> Any:
        """A system's pipeline.

        Raises:
            ToileError: when it cannot be loaded.
        """
        with self._lock:
            if system not in self._pipelines:
                models = self.models
                loaded = load_pipeline(system, models.of(system), device=models.device, dtype=models.dtype)
                self._pipelines[system] = loaded
            return self._pipelines[system]

    def canvas(self, system: System, size: tuple[int, int] | None = None) -> tuple[int, int]:
        """(height, width) that a system's model works at: `size`, or its own when it is told nothing else.

        Raises:
            ToileError: when the model cannot be loaded, or cannot work at that size.
        """
        found: tuple[int, int] = self.pipeline(system).check_size(*(size or (None, None)))
        return found

    def run(self, requests: Sequence[Request], on_step: OnStep = no_steps) -> list[Result | ToileError]:
        """Do requests of one group, in one batch.

        Args:
            requests: at least one.
            on_step: is told of each step; what it raises stops the work (`Cancelled`) and comes back.

        Returns:
            For each request its result, or why it alone cannot be done.

        Raises:
            ToileError: when nothing can be done: a model is not there, the memory does not suffice, or the
                requests do not belong together.
        """
        if len({request.group for request in requests}) != 1:
            raise ToileError(f"{len(requests)} requests have no group in common; do each group by itself")
        with self._lock:
            self.pipeline(requests[0].systems[0])
            prepared = [self._prepare(request) for request in requests]
            ready = [item for item in prepared if isinstance(item, Ready)]
            drawn = iter(type(requests[0]).draw(self, ready, on_step) if ready else [])
            return [next(drawn) if isinstance(item, Ready) else item for item in prepared]

    def metadata(self, system: System, ready: Ready, size: tuple[int, int]) -> dict[str, object]:
        """What every picture that is drawn for a request carries with it."""
        model = {"toile": __version__, "model": self.models.of(system), "dtype": self.models.dtype}
        settings: dict[str, object] = ready.request.settings()
        steps = self.pipeline(system).check_steps(ready.request.drawing.steps)
        return model | settings | {"steps": steps} | ready.origins() | {"size": list(size)}

    def _prepare(self, request: Request) -> Ready | ToileError:
        try:
            request.check()
            return request.prepare(self)
        except ToileError as error:
            return error
