"""One piece of work: it waits for its turn, tells how far it is, shows what is there, and can be stopped."""

import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.request import Request
from toile.tasks.result import Result
from toile.tasks.step import Cancelled, Step

PREVIEW_SECONDS = 1.0
"""A preview is shown about so often; each costs a pass of the VAE."""
PREVIEW_SHARE = 0.2
"""Previews take this share of the time, at most, where they are dear."""
UNEXPECTED = "something went wrong that should not have; the terminal of `toile app` says what"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How far a piece of work is."""

    ahead: int = 0
    """People who are served before."""
    done: int = 0
    """Denoising steps that are done; none yet means that the model is being loaded."""
    total: int = 1
    """Denoising steps altogether."""
    seconds: float = 0.0
    """Since its first step."""
    preview: Image.Image | None = None
    """What was there at the last look, where that is news."""

    @property
    def seconds_left(self) -> float | None:
        """About how long it will take; None before that is known."""
        return None if self.done < 2 else self.seconds / self.done * (self.total - self.done)


class Turns:
    """Who is served next: one at a time, in the order they came, with a bound on how many wait.

    Args:
        waiting: people who may wait while one is served.
    """

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self._line: deque[object] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are served or wait."""
        return len(self._line)

    def join(self, who: object) -> None:
        """Stand in line.

        Raises:
            ToileError: when it is too long.
        """
        with self._lock:
            if len(self._line) > self.waiting:
                raise ToileError(
                    f"{len(self._line)} people are served or wait already; try again in a minute"
                )
            self._line.append(who)

    def ahead(self, who: object) -> int:
        """How many are served before."""
        with self._lock:
            return self._line.index(who)

    def leave(self, who: object) -> None:
        """Let the next one come; leaving twice changes nothing."""
        with self._lock:
            if who in self._line:
                self._line.remove(who)


class Work:
    """Requests that are done one after another, off the page's own threads.

    Args:
        atelier: does them.
        requests: of one person.
        turns: says when.
    """

    def __init__(self, atelier: Atelier, requests: Sequence[Request], turns: Turns) -> None:
        self.atelier, self.requests, self.turns = atelier, requests, turns
        self.results: list[Result] = []
        self.error: str | None = None
        """Why it came to nothing, for whoever asked for it."""
        self.total = sum(request.total_steps(atelier.models) for request in requests)
        self.done = 0
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run, daemon=True)
        self._preview: Image.Image | None = None
        self._started = self._looked = time.monotonic()

    def stop(self) -> None:
        """Stop before the next step."""
        self._stop.set()

    def wait(self) -> None:
        """Wait until it has stopped."""
        if self._thread.is_alive():
            self._thread.join()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def follow(self, every: float = 0.2) -> Iterator[Moment]:
        """Wait, work, and tell how far it is, until it is over; whoever listens no longer stops it.

        Args:
            every: seconds between two looks.

        Raises:
            ToileError: when too many wait already.
        """
        self.turns.join(self)
        try:
            while (ahead := self.turns.ahead(self)) and not self.stopped:
                yield Moment(ahead=ahead, total=self.total)
                self._stop.wait(every)
            if not self.stopped:
                self._thread.start()
            while self._thread.is_alive():
                yield self._moment()
                self._thread.join(every)
        finally:
            if self._thread.is_alive():  # nobody listens any more
                self.stop()
                self._thread.join()  # at most until its next step, so that the next one finds a free model
            self.turns.leave(self)

    def _moment(self) -> Moment:
        preview, self._preview = self._preview, None
        seconds = time.monotonic() - self._started if self.done else 0.0
        return Moment(done=self.done, total=self.total, seconds=seconds, preview=preview)

    def _run(self) -> None:
        try:
            for request in self.requests:
                self._check_stop()
                (outcome,) = self.atelier.run([request], self._step)
                if isinstance(outcome, ToileError):
                    raise outcome
                self.results.append(outcome)
        except Cancelled:
            pass
        except ToileError as error:
            self.error = str(error)
        except Exception:  # a defect of ours: its place is the terminal
            traceback.print_exc(file=sys.stderr)
            self.error = UNEXPECTED

    def _check_stop(self) -> None:
        if self.stopped:
            raise Cancelled

    def _step(self, step: Step) -> None:
        self._check_stop()
        if not self.done:
            self._started = self._looked = time.monotonic()
        self.done += step.items
        if time.monotonic() >= self._looked and self.done < self.total:
            began = time.monotonic()
            self._preview = step.preview()[0]
            took = time.monotonic() - began
            self._looked = began + max(PREVIEW_SECONDS, took / PREVIEW_SHARE)


class WorkInProgress:
    """What each visitor is waiting for, so that a button of his page can stop it and nobody else's."""

    def __init__(self) -> None:
        self._works: dict[str, Work] = {}
        self._lock = threading.Lock()

    def start(self, visitor: str, work: Work) -> None:
        """Take down what a visitor asked for; what he asked for before is stopped."""
        with self._lock:
            before = self._works.get(visitor)
            self._works[visitor] = work
        if before is not None:
            before.stop()

    def stop(self, visitor: str) -> None:
        """Stop what a visitor asked for, if anything."""
        with self._lock:
            work = self._works.get(visitor)
        if work is not None:
            work.stop()

    def stop_all(self) -> None:
        """Stop what everybody asked for."""
        with self._lock:
            works = list(self._works.values())
        for work in works:
            work.stop()
        for work in works:
            work.wait()

    def end(self, visitor: str, work: Work) -> None:
        """Forget what is over."""
        with self._lock:
            if self._works.get(visitor) is work:
                del self._works[visitor]
