"""A block that a worker is at work on: what has come of its items so far, and its rows at the end."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from toile.catalogue.item import BadItem, Item
from toile.catalogue.job import Report
from toile.catalogue.manifest import Row
from toile.catalogue.plan import Block
from toile.errors import ToileError
from toile.tasks.request import Request
from toile.tasks.result import Result


@dataclass(frozen=True)
class Drawn:
    """An item whose picture is there."""

    item: Item
    """The item."""
    request: Request
    """What was made of it."""
    result: Result
    """What came of that."""
    seconds: float
    """That the model spent on it."""


@dataclass(kw_only=True)
class Draft:
    """A block that is being worked on; each thread of a worker has it to itself for a while."""

    block: Block
    """The block."""
    future: Future[Report] = field(default_factory=Future)
    """What whoever gave it waits for."""
    failed: dict[int, tuple[str, Request | None]] = field(default_factory=dict)
    """By item number: why there is no picture, and the request, where it got so far."""
    drawn: dict[int, Drawn] = field(default_factory=dict)
    """By item number: the pictures."""
    model_seconds: float = 0.0
    """Spent drawing so far."""

    def begin(self) -> bool:
        """Whether it is to be drawn: not when it was dropped meanwhile, or has come to grief."""
        if self.future.running():
            return True
        return not self.future.done() and self.future.set_running_or_notify_cancel()

    def add(self, item: Item, request: Request, result: Result | ToileError, seconds: float) -> None:
        """Take in what came of an item, and how long the model took for it."""
        if isinstance(result, ToileError):
            self.fail(item, result, request)
        else:
            self.drawn[item.number] = Drawn(item, request, result, seconds)

    def fail(self, item: Item | BadItem, error: Exception, request: Request | None = None) -> None:
        """Take in that nothing comes of an item."""
        self.failed[item.number] = one_line(error), request

    def results(self) -> list[tuple[Item, Result]]:
        """The pictures, in the order of the list, for a sink."""
        return [(drawn.item, drawn.result) for _, drawn in sorted(self.drawn.items())]

    def report(self, places: Sequence[str]) -> Report:
        """What came of the block, when each of `results` lies in its place."""
        outputs = dict(zip(sorted(self.drawn), places, strict=True))
        rows = tuple(self._row(item, outputs.get(item.number)) for item in self.block.items)
        return Report(block=self.block.number, rows=rows, model_seconds=self.model_seconds)

    def _row(self, item: Item | BadItem, output: str | None) -> Row:
        if output is None:
            return failed_row(self.block, item, *self.failed[item.number])
        drawn = self.drawn[item.number]
        return Row(
            number=item.number,
            name=item.name,
            state="done",
            seed=drawn.request.seed,
            settings=drawn.request.settings(),
            seconds=round(drawn.seconds, 4),
            output=output,
            notes=drawn.result.notes,
            block=self.block.number,
            items=len(self.block.items),
            attempts=self.block.attempt,
        )


def failed_row(block: Block, item: Item | BadItem, error: str, request: Request | None = None) -> Row:
    """The row of an item that cannot be done; its settings are those of its request, or of its line."""
    own = {} if isinstance(item, BadItem) else dict(item.settings)
    seed = own.get("seed") if request is None else request.seed
    return Row(
        number=item.number,
        name=item.name,
        state="failed",
        seed=seed if isinstance(seed, int) else None,
        settings=own if request is None else request.settings(),
        error=error,
        block=block.number,
        items=len(block.items),
        attempts=block.attempt,
    )


def one_line(error: BaseException) -> str:
    """What an error says, in one line; one that is no user's mistake also says its kind."""
    text = " ".join(str(error).split())
    if isinstance(error, ToileError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
