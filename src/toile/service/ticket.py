"""One accepted request on its way from the queue to its answer."""

import time
from collections.abc import Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Literal

from toile.service.answer import Answer
from toile.service.problems import Problem
from toile.tasks.models import Models
from toile.tasks.request import Request

State = Literal["queued", "running", "done", "failed"]
"""Where a request is."""


class Ticket:
    """An accepted request. It is settled once, by whoever is first: its answer, or why there is none.

    Once settled it lets go of its pictures; what is still drawn for it is thrown away.

    Args:
        request: what is to be done.
        models: what will do it.
    """

    def __init__(self, request: Request, models: Models) -> None:
        self.task: str = request.task
        self.group: Hashable = request.group
        self.total_steps = request.total_steps(models)
        self.accepted = time.monotonic()
        self.started: float | None = None
        self.ended: float | None = None
        self.progress = 0.0
        """Share of the steps that were made, from 0 to 1."""
        self.outcome: Future[Answer] = Future()
        """The answer, or the `Problem`."""
        self._request: Request | None = request
        self._lock = Lock()

    @property
    def request(self) -> Request | None:
        """What is to be done; None once it is settled."""
        return self._request

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.outcome.done()

    @property
    def problem(self) -> Problem | None:
        """Why there is no answer, if it is settled so."""
        error = self.outcome.exception() if self.settled else None
        assert error is None or isinstance(error, Problem)
        return error

    @property
    def answer(self) -> Answer | None:
        """The answer, if there is one."""
        return self.outcome.result() if self.settled and self.problem is None else None

    @property
    def state(self) -> State:
        """Where it is."""
        if self.settled:
            return "done" if self.problem is None else "failed"
        return "queued" if self.started is None else "running"

    def start(self) -> None:
        """The model begins with it."""
        self.started = time.monotonic()

    def settle(self, outcome: Answer | Problem) -> bool:
        """Give it its outcome.

        Returns:
            Whether this was the first one; later ones change nothing.
        """
        with self._lock:
            if self.settled:
                return False
            self._request, self.ended = None, time.monotonic()
            if isinstance(outcome, Answer):
                self.progress = 1.0
                self.outcome.set_result(outcome)
            else:
                self.outcome.set_exception(outcome)
            return True
