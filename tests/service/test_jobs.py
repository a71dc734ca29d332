import time
from uuid import uuid4

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.answer import Answer
from toile.service.jobs import Jobs
from toile.service.limits import Limits
from toile.service.problems import Problem
from toile.service.ticket import Ticket
from toile.tasks.models import Models
from toile.tasks.restore import RestoreRequest


def finished(jobs: Jobs, size: int = 10):
    ticket = Ticket(RestoreRequest(photo=Image.new("RGB", (4, 4))), Models())
    job = jobs.add(ticket)
    ticket.settle(Answer(pictures={"garment": bytes(size)}, settings={}))
    return job


def known(jobs: Jobs, job) -> bool:
    try:
        return jobs.get(job.id) is job
    except Problem:
        return False


def test_the_oldest_results_go_when_there_are_too_many():
    jobs = Jobs(Limits(keep_results=2))
    waiting = jobs.add(Ticket(RestoreRequest(photo=Image.new("RGB", (4, 4))), Models()))
    done = [finished(jobs) for _ in range(4)]
    jobs.sweep()
    assert [known(jobs, job) for job in done] == [False, False, True, True]
    assert known(jobs, waiting)


def test_the_oldest_results_go_when_they_hold_too_much():
    jobs = Jobs(Limits(keep_megabytes=1))
    done = [finished(jobs, 400_000) for _ in range(4)]
    jobs.sweep()
    assert [known(jobs, job) for job in done] == [False, False, True, True]


def test_results_are_kept_so_long():
    jobs = Jobs(Limits(keep_seconds=0.05))
    job = finished(jobs)
    jobs.sweep()
    assert known(jobs, job)
    time.sleep(0.1)
    jobs.sweep()
    assert not known(jobs, job) and len(jobs) == 0


def test_a_job_that_is_deleted_is_cancelled_and_forgotten():
    jobs = Jobs(Limits())
    job = jobs.add(Ticket(RestoreRequest(photo=Image.new("RGB", (4, 4))), Models()))
    jobs.delete(job.id)
    assert job.ticket.settled and job.ticket.request is None and not known(jobs, job)


def test_an_unknown_job_is_a_problem():
    with pytest.raises(Problem) as refused:
        Jobs(Limits()).get(uuid4())
    assert refused.value.status_code == 404
