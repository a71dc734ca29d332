"""The one thread that draws: it loads the models, takes batches out of the queue, and reports each step."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Protocol, runtime_checkable

from toile.errors import ToileError
from toile.service.answer import encode
from toile.service.line import Line
from toile.service.metrics import Metrics
from toile.service.pace import Pace
from toile.service.private_paths import PrivatePaths
from toile.service.problems import Problem
from toile.service.settings import Settings
from toile.service.ticket import Ticket
from toile.tasks.models import Models, System
from toile.tasks.request import Request
from toile.tasks.result import Result
from toile.tasks.step import Cancelled, OnStep, Step

ENCODERS = 2
"""Threads that make PNGs while the next batch is drawn."""
MOST_FAULTS = 3
"""Batches that may break one after another before the service calls itself ill."""
log = logging.getLogger("toile.service")


@runtime_checkable
class Draws(Protocol):
    """What the worker needs of an `Atelier`."""

    models: Models

    def load(self, *systems: System) -> None:
        """Load models ahead of time."""

    def run(self, requests: Sequence[Request], on_step: OnStep) -> Sequence[Result | ToileError]:
        """Do requests of one group."""


class Worker:
    """Draws what waits in a line, one batch after another, in a thread of its own.

    Args:
        atelier: what draws.
        line: where requests wait.
        settings: how many are drawn at once, and how long is waited for them.
        metrics: where everything is counted.
        paths: what no client is told.
    """

    def __init__(
        self, atelier: Draws, line: Line, settings: Settings, metrics: Metrics, paths: PrivatePaths
    ) -> None:
        self.atelier, self.line, self.settings = atelier, line, settings
        self.metrics, self.paths, self.pace = metrics, paths, Pace()
        self.ready = False
        """Whether the models are loaded."""
        self.error: ToileError | None = None
        """Why they cannot be."""
        self.current: tuple[Ticket, ...] = ()
        """The batch that is being drawn."""
        self._faults = 0
        self._encoders = ThreadPoolExecutor(ENCODERS, thread_name_prefix="toile-encode")
        self._thread = Thread(target=self._run, name="toile-draw", daemon=True)

    @property
    def healthy(self) -> bool:
        """Whether it draws: its thread lives, and batches do not break one after another."""
        return self._thread.is_alive() and self._faults < MOST_FAULTS

    def start(self) -> None:
        """Begin: with the models, then with whoever waits."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Draw no further batch; what is settled meanwhile stops at its next step."""
        self.line.close()
        if self._thread.ident is not None:
            self._thread.join(patience)
        self._encoders.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self.atelier.load(*self.settings.systems)
        except Exception as error:
            self.error = error if isinstance(error, ToileError) else _unexpected(error)
            return
        self.ready = True
        while tickets := self.line.take(self.settings.batch, self.settings.wait_ms / 1000):
            self._do([ticket for ticket in tickets if not ticket.settled])

    def _do(self, tickets: Sequence[Ticket]) -> None:
        """Draw a batch and measure it."""
        if not tickets:
            return
        self.current, began = tuple(tickets), time.monotonic()
        for ticket in tickets:
            self.metrics.wait.observe(began - ticket.accepted)
        self.metrics.batch.observe(len(tickets))
        self._draw(tickets)
        seconds = time.monotonic() - began
        self.metrics.work.labels(tickets[0].task).observe(seconds)
        self.pace.measure(len(tickets), seconds)
        self.current = ()

    def _draw(self, tickets: Sequence[Ticket]) -> None:
        """Draw a batch; when it breaks, each request by itself, so that none suffers for another."""
        asked = [(ticket, request) for ticket in tickets if (request := ticket.request) is not None]
        if not asked:
            return
        try:
            outcomes = self.atelier.run([request for _, request in asked], self._listener(tickets))
        except Cancelled:
            return
        except Exception as error:
            if len(asked) > 1:
                for ticket, _ in asked:
                    self._draw([ticket])
            else:
                self._fail(asked[0][0], error)
        else:
            self._faults = 0
            for (ticket, _), outcome in zip(asked, outcomes, strict=True):
                self._finish(ticket, outcome)

    def _listener(self, tickets: Sequence[Ticket]) -> OnStep:
        """What notes each step of a batch, and stops it once nobody waits for it any more."""
        total, made, last = sum(ticket.total_steps for ticket in tickets), 0, 0.0

        def on_step(step: Step) -> None:
            nonlocal made, last
            made, before, last = made + step.items, last, time.monotonic()
            if before:  # the first one comes after the garments were encoded
                self.metrics.step.observe(last - before)
            if all(ticket.settled for ticket in tickets):
                raise Cancelled
            for ticket in tickets:
                ticket.progress = max(ticket.progress, min(1.0, made / total))

        return on_step

    def _finish(self, ticket: Ticket, outcome: Result | ToileError) -> None:
        if isinstance(outcome, ToileError):
            self._fail(ticket, outcome)
        elif not ticket.settled:
            self._encoders.submit(self._encode, ticket, outcome)

    def _encode(self, ticket: Ticket, result: Result) -> None:
        try:
            if ticket.settle(encode(result, self.paths)):
                self.metrics.pictures.labels(ticket.task).inc(max(1, len(result.candidates)))
        except Exception as error:
            self._fail(ticket, error)

    def _fail(self, ticket: Ticket, error: Exception) -> None:
        if isinstance(error, ToileError):
            ticket.settle(Problem(422, self.paths.hidden_in(str(error))))
            return
        self._faults += 1
        log.error("a %s request broke", ticket.task, exc_info=error)
        ticket.settle(Problem(500, "the service made a mistake; its log says more"))


def _unexpected(error: Exception) -> ToileError:
    log.error("the models cannot be loaded", exc_info=error)
    return ToileError(f"the models cannot be loaded ({type(error).__name__}: {error}); the log says more")
