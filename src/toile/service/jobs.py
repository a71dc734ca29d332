"""Jobs: requests whose answers are fetched later. So many are kept, for so long, and no more."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from toile.service.limits import MEGA, Limits
from toile.service.problems import Problem
from toile.service.ticket import Ticket


@dataclass(kw_only=True)
class Job:
    """A request whose answer is fetched later. Who knows its random number may see it."""

    ticket: Ticket
    """The request."""
    id: UUID = field(default_factory=uuid4)
    """Random: 122 bits that nobody guesses."""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When it was accepted."""
    fetched: bool = False
    """Whether its answer was had."""

    @property
    def size(self) -> int:
        """Bytes of its answer."""
        answer = self.ticket.answer
        return 0 if answer is None else answer.size


class Jobs:
    """All jobs that are known. Only the thread of the event loop touches them.

    Args:
        limits: how many results are kept, how much of them, and for how long.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._jobs: dict[UUID, Job] = {}

    def __len__(self) -> int:
        """How many are known."""
        return len(self._jobs)

    @property
    def fetched(self) -> bool:
        """Whether nobody's answer is left to be had."""
        return all(job.fetched for job in self._jobs.values())

    def add(self, ticket: Ticket) -> Job:
        """Remember a request."""
        job = Job(ticket=ticket)
        self._jobs[job.id] = job
        return job

    def get(self, job_id: UUID) -> Job:
        """A job by its number.

        Raises:
            Problem: 404, when there is none, or none any more.
        """
        if job_id not in self._jobs:
            raise Problem(
                404, f"there is no job {job_id}; it was deleted, or its result was kept long enough"
            )
        return self._jobs[job_id]

    def delete(self, job_id: UUID) -> None:
        """Forget a job; if it has not ended, it is cancelled.

        Raises:
            Problem: 404, as `get`.
        """
        self.get(job_id).ticket.settle(Problem(410, "the job was cancelled"))
        del self._jobs[job_id]

    def sweep(self) -> None:
        """Forget results that were kept long enough, or are too many; the oldest go first."""
        ended = [job for job in self._jobs.values() if job.ticket.settled]
        ended.sort(key=lambda job: job.ticket.ended or 0.0, reverse=True)
        oldest = time.monotonic() - self.limits.keep_seconds
        held = 0
        for place, job in enumerate(ended):
            held += job.size
            late = (job.ticket.ended or 0.0) < oldest
            if late or place >= self.limits.keep_results or held > self.limits.keep_megabytes * MEGA:
                del self._jobs[job.id]
