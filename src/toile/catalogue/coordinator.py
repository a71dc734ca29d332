"""The one process that hands out blocks, replaces workers that die, and records what came of each item."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from types import FrameType

from toile.catalogue.backlog import Backlog, Share
from toile.catalogue.engine import Dropped, Engine, Event, Finished, Lost, Ready, Refused
from toile.catalogue.manifest import Row
from toile.errors import ToileError

AT_HAND = 4
"""Blocks that a worker has at once, at most: one is drawn, two are decoded ahead, one is written."""
PATIENCE = 0.5
"""Seconds to wait for events before looking at the clock."""
LONG = 60.0
"""Seconds after which the user is told that no worker is ready yet."""
FALSE_STARTS = 3
"""Workers that may die one after another before one of them was ever ready."""
FRUITLESS = 30
"""Workers that may die one after another without a single block being finished in between."""


@dataclass
class _Seat:
    """A worker's place: who sits there may die, and is replaced."""

    ready: bool = False
    """Whether it has loaded its model."""
    shares: dict[int, Share] = field(default_factory=dict)
    """What it has at hand, by number, in the order in which it was given."""
    since: float = 0.0
    """When it finished something for the last time, or was given something while it had nothing."""
    late: bool = False
    """Whether it has been ended for taking too long."""

    def touch(self) -> None:
        """Something was finished, or begun."""
        self.since = time.monotonic()


class Coordinator:
    """Leads workers through a backlog.

    Args:
        engine: runs the workers.
        backlog: what is to be done.
        record: writes the rows of a block down.
        workers: how many to keep alive.
        at_hand: blocks that a worker has at once; fewer do where a block is many batches.
        timeout: seconds that a block may take; None is any time.
        say: tells the user something, in one line.
    """

    def __init__(
        self,
        engine: Engine,
        backlog: Backlog,
        record: Callable[[Sequence[Row]], object],
        *,
        workers: int,
        at_hand: int = AT_HAND,
        timeout: float | None = None,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Start the workers' lives when `run` is called."""
        self.engine, self.backlog, self.record = engine, backlog, record
        self.at_hand, self.timeout, self.say = at_hand, timeout, say
        self.model_seconds, self.worker_seconds, self.deaths = 0.0, 0.0, 0
        self.first_ready: float | None = None
        self._seats = {number: _Seat() for number in range(workers)}
        self._stopping = False
        self._interruptions = 0
        self._fruitless, self._false_starts = 0, 0

    def run(self) -> bool:
        """Do everything, or what can be done until Ctrl-C.

        Returns:
            Whether everything has been done.

        Raises:
            ToileError: when no worker can go on, or the manifest cannot be written.
            KeyboardInterrupt: at a second Ctrl-C.
        """
        with self._interruptible():
            for number in self._seats:
                self.engine.start(number)
            told_after = time.monotonic() + LONG
            while not self._over():
                for event in self.engine.events(PATIENCE):
                    self._answer(event)
                if self.first_ready is None and time.monotonic() > told_after:
                    told_after = inf
                    self.say("no worker is ready yet: it loads its model, or waits for room on a cluster")
                self._look_at_the_clock()
                self._heed_interruption()
                self._hand_out()
        return not self._stopping

    def _over(self) -> bool:
        """Whether nobody is at work, and nobody is going to be."""
        busy = any(seat.shares for seat in self._seats.values())
        return not busy and (self._stopping or self.backlog.is_empty())

    def _hand_out(self) -> None:
        """Give every worker what it may have; the first blocks to all before anybody gets a second one."""
        for depth in range(self.at_hand):
            for number, seat in self._seats.items():
                if self._stopping or not seat.ready or len(seat.shares) != depth:
                    continue
                if any(share.alone for share in seat.shares.values()):
                    continue
                share = self.backlog.take(idle=not seat.shares)
                if share is not None:
                    if not seat.shares:
                        seat.touch()
                    seat.shares[share.block.number] = share
                    self.engine.give(number, share.block)

    def _answer(self, event: Event) -> None:
        seat = self._seats[event.worker]
        match event:
            case Ready():
                seat.ready, self._false_starts = True, 0
                self.first_ready = self.first_ready or time.monotonic()
            case Finished(report=report):
                if seat.shares.pop(report.block, None) is not None:
                    self.record(report.rows)
                    self._fruitless = 0
                    self.model_seconds += report.model_seconds
                    self.worker_seconds += time.monotonic() - seat.since
                seat.late = False
                seat.touch()
            case Dropped(block=block):
                self.backlog.give_back(seat.shares.pop(block))
            case Lost(reason=reason, block=culprit):
                self._replace(event.worker, reason, culprit)
            case Refused(error=error):
                raise error

    def _replace(self, number: int, reason: str, culprit: int | None) -> None:
        """Take back what a dead worker had, and put another in its place."""
        seat, self._seats[number] = self._seats[number], _Seat()
        self.deaths += 1
        shares = list(seat.shares.values())
        if seat.late and shares:
            reason, culprit = f"it took longer than {self.timeout:g} seconds", shares[0].block.number
        rows = self.backlog.take_back(shares, reason, culprit)
        if rows:
            self.record(rows)
        self._count_death(seat, reason)
        if not self._stopping:
            self.say(f"a worker died ({reason}); another one takes its place")
            self.engine.start(number)

    def _count_death(self, seat: _Seat, reason: str) -> None:
        self._fruitless += 1
        self._false_starts += not seat.ready
        if self._false_starts >= FALSE_STARTS:
            raise ToileError(
                f"workers die before they are ready ({reason}); see whether the memory suffices for --workers"
            )
        if self._fruitless >= FRUITLESS:
            raise ToileError(f"{FRUITLESS} workers have died and nothing gets done ({reason}); see why")

    def _look_at_the_clock(self) -> None:
        """End workers whose block takes too long."""
        if self.timeout is None:
            return
        for number, seat in self._seats.items():
            if seat.shares and not seat.late and time.monotonic() - seat.since > self.timeout:
                seat.late = True
                self.engine.kill(number)

    def _heed_interruption(self) -> None:
        if self._interruptions and not self._stopping:
            self._stopping = True
            self.say("stopping: what is being drawn is finished; Ctrl-C again stops at once")
            self.engine.drop()

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Answer SIGINT and SIGTERM by ourselves, where this is the main thread."""

        def interrupted(number: int, frame: FrameType | None) -> None:
            self._interruptions += 1
            if self._interruptions > 1:
                raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
