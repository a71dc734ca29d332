"""The desk: it takes requests in, hands out tickets for them, and gives up those that take too long."""

import time

from toile.errors import ToileError
from toile.service.jobs import Jobs
from toile.service.line import Line, Place
from toile.service.metrics import Metrics
from toile.service.private_paths import PrivatePaths
from toile.service.problems import Problem
from toile.service.settings import Settings
from toile.service.ticket import Ticket
from toile.service.worker import Draws, Worker
from toile.tasks.dress import DressRequest
from toile.tasks.request import Request

LEAVE = 5.0
"""Seconds that the thread that draws has to come to its next step, at the end."""


class Desk:
    """One service: its queue, its worker, its jobs, its figures.

    Args:
        atelier: what draws.
        settings: what is offered, and how much is taken on.
    """

    def __init__(self, atelier: Draws, settings: Settings | None = None) -> None:
        self.atelier, self.settings = atelier, settings or Settings()
        self.paths, self.metrics = PrivatePaths(atelier.models), Metrics()
        self.line, self.jobs = Line(self.settings.queue), Jobs(self.settings.limits)
        self.worker = Worker(atelier, self.line, self.settings, self.metrics, self.paths)
        self.draining = False
        """Whether it only finishes what it has accepted."""
        self._open: set[Ticket] = set()
        self.metrics.queue.set_function(lambda: len(self.line))
        self.metrics.jobs.set_function(lambda: len(self.jobs))

    @property
    def error(self) -> ToileError | None:
        """Why the models cannot be loaded, if so."""
        return self.worker.error

    @property
    def ready(self) -> bool:
        """Whether a request would be taken in and drawn."""
        return self.worker.ready and self.worker.healthy and not self.draining and not self.line.full

    @property
    def finished(self) -> bool:
        """Whether everything that was accepted is done, and every job's answer was had."""
        return not self._open and not len(self.line) and self.jobs.fetched

    def start(self) -> None:
        """Load the models, then draw."""
        self.worker.start()

    def stop(self) -> None:
        """Give up whatever is open, and draw no more."""
        self.give_up()
        self.worker.stop(LEAVE)

    def enter(self) -> Place:
        """Take a place for a request that is about to arrive.

        Raises:
            Problem: 429 when the queue is full, 503 when the service is stopping.
        """
        if self.draining:
            self.metrics.refused.labels("stopping").inc()
            raise Problem(503, "the service is stopping and takes no more work", retry_after=self._patience())
        place = self.line.enter()
        if place is None:
            self.metrics.refused.labels("full").inc()
            after = self._patience()
            raise Problem(429, f"the queue is full; come back in {after} seconds", retry_after=after)
        return place

    def check(self, request: Request) -> None:
        """Refuse what cannot be done, or costs too much.

        Raises:
            ToileError: in that case.
        """
        self.settings.limits.check(request, self.atelier.models)
        request.check()  # after: the tasks' own bounds are wider, and nobody here may use them
        if isinstance(request, DressRequest) and request.wear is not None:
            self._check_outfit(request.wear)

    def accept(self, request: Request, place: Place) -> Ticket:
        """Have a checked request wait in its place."""
        ticket = Ticket(request, self.atelier.models)
        self._open.add(ticket)
        ticket.outcome.add_done_callback(lambda _: self._settled(ticket))
        self.line.put(ticket, place)
        return ticket

    def sweep(self) -> None:
        """Give up what has waited or worked too long, and forget old results; to be called often."""
        limits, now = self.settings.limits, time.monotonic()
        for ticket in self.line.waiting():
            if now - ticket.accepted > limits.max_queue_seconds:
                detail = f"it was not its turn within {limits.max_queue_seconds:g} seconds; come back later"
                ticket.settle(Problem(503, detail, retry_after=self._patience()))
        for ticket in self.worker.current:
            if ticket.started is not None and now - ticket.started > limits.max_work_seconds:
                detail = f"it took more than {limits.max_work_seconds:g} seconds; ask for fewer steps or less"
                ticket.settle(Problem(504, detail))
        self.jobs.sweep()

    def give_up(self) -> None:
        """Settle whatever is open: the service stops."""
        for ticket in list(self._open):
            ticket.settle(
                Problem(503, "the service has stopped before it was done; ask again", retry_after=10)
            )

    def _patience(self) -> int:
        """Seconds until all that wait now will have been drawn."""
        return self.worker.pace.retry_after(len(self.line) + len(self.worker.current))

    def _settled(self, ticket: Ticket) -> None:
        self._open.discard(ticket)
        self.metrics.count(ticket)

    def _check_outfit(self, name: str) -> None:
        """Refuse an outfit that is not in the wardrobe of the service; no path is ever made of its name."""
        from toile.wardrobe_store import WardrobeStore

        folder = self.atelier.models.wardrobe
        if folder is None:
            raise ToileError(f"there is no outfit {name!r}: this service keeps none; send the garments")
        names = WardrobeStore(folder).names()
        if name not in names:
            there = ", ".join(names[:8]) or "none"
            raise ToileError(f"there is no outfit {name!r}; this service keeps {there}")
