"""What an engine is: it runs workers somewhere, hands them blocks, and tells what happens to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from toile.catalogue.job import Report
from toile.catalogue.plan import Block
from toile.errors import ToileError


@dataclass(frozen=True)
class Ready:
    """A worker has loaded its model and can take blocks."""

    worker: int
    """Its number."""


@dataclass(frozen=True)
class Finished:
    """A worker has written a block's pictures."""

    worker: int
    """Its number."""
    report: Report
    """What came of the block."""


@dataclass(frozen=True)
class Dropped:
    """A worker has given a block back without having begun it."""

    worker: int
    """Its number."""
    block: int
    """The block's number."""


@dataclass(frozen=True)
class Lost:
    """A worker has died, and all that it was at work on with it."""

    worker: int
    """Its number."""
    reason: str
    """How it died, as far as is known."""
    block: int | None = None
    """The block that it died of, where that is known."""


@dataclass(frozen=True)
class Refused:
    """A worker says that no worker can go on: no model, no output, no disk."""

    worker: int
    """Its number."""
    error: ToileError
    """What to do about it."""


Event = Ready | Finished | Dropped | Lost | Refused


@runtime_checkable
class Engine(Protocol):
    """Workers, by their numbers; whoever holds it decides what they do and what becomes of their blocks."""

    def start(self, worker: int) -> None:
        """Start a worker; `Ready` or `Lost` follows.

        Raises:
            ToileError: when no further worker can be started.
        """

    def give(self, worker: int, block: Block) -> None:
        """Hand a ready worker a block; it does its blocks in the order in which they come."""

    def drop(self) -> None:
        """Have all workers give back what they have not begun."""

    def kill(self, worker: int) -> None:
        """End a worker at once; `Lost` follows."""

    def events(self, timeout: float) -> Sequence[Event]:
        """What has happened since; when nothing has, wait for it, at most so many seconds."""
        ...

    def close(self) -> None:
        """End all workers at once."""
