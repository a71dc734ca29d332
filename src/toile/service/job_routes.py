"""The routes of jobs: how far one is, what came of it, and to cancel it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field
from starlette.responses import Response

from toile.service.answer import PICTURES, respond, wanted_kind
from toile.service.desk import Desk
from toile.service.jobs import Job
from toile.service.line import Line
from toile.service.problems import Problem, ProblemModel, documented
from toile.service.ticket import State


class JobModel(BaseModel):
    """How far a job is."""

    id: UUID = Field(description="Its number, random: who knows it may see the job.")
    task: str = Field(description="What is done.")
    state: State = Field(description="Where it is.")
    position: int | None = Field(description="Its place in the queue, from 1; null when it does not wait.")
    progress: float = Field(ge=0, le=1, description="Share of the steps that were made.")
    total_steps: int = Field(description="Denoising steps that it takes.")
    created: datetime = Field(description="When it was accepted.")
    result: str | None = Field(description="Where its result can be fetched, once it is done.")
    problem: ProblemModel | None = Field(description="Why it failed, if it did.")


def described(job: Job, line: Line) -> JobModel:
    """How far a job is, as its client is told."""
    ticket, problem = job.ticket, job.ticket.problem
    state: State = ticket.state
    waiting = line.waiting() if state == "queued" else []
    return JobModel(
        id=job.id,
        task=ticket.task,
        state=state,
        position=waiting.index(ticket) + 1 if ticket in waiting else None,
        progress=ticket.progress,
        total_steps=ticket.total_steps,
        created=job.created,
        result=f"/v1/jobs/{job.id}/result" if state == "done" else None,
        problem=None if problem is None else ProblemModel.of(problem),
    )


def job_router(desk: Desk) -> APIRouter:
    """The routes of jobs."""
    router = APIRouter(prefix="/v1/jobs/{job_id:uuid}", tags=["jobs"])

    @router.get("", operation_id="job", responses=documented(404, 422))
    async def see(job_id: UUID) -> JobModel:
        """How far a job is."""
        job = desk.jobs.get(job_id)
        job.fetched = job.fetched or job.ticket.problem is not None
        return described(job, desk.line)

    @router.get(
        "/result",
        operation_id="job_result",
        response_class=Response,
        responses={200: PICTURES, **documented(404, 406, 409, 422, 500, 503, 504)},
    )
    async def result(
        job_id: UUID, accept: Annotated[str | None, Header(include_in_schema=False)] = None
    ) -> Response:
        """What came of a job; it may be fetched again until it is deleted or kept long enough."""
        job, kind = desk.jobs.get(job_id), wanted_kind(accept)
        if not job.ticket.settled:
            after = desk.worker.pace.retry_after(1)
            raise Problem(409, f"job {job_id} is {job.ticket.state}; come back later", retry_after=after)
        job.fetched = True
        if job.ticket.problem is not None:
            raise job.ticket.problem.again()
        return respond(job.ticket.outcome.result(), kind)

    @router.delete("", operation_id="delete_job", status_code=204, responses=documented(404, 422))
    async def delete(job_id: UUID) -> None:
        """Cancel a job that has not ended, and forget it with its result."""
        desk.jobs.delete(job_id)

    return router
