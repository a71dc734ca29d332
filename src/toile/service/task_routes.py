"""The routes of the tasks: POST /v1/TASK draws at once, POST /v1/jobs/TASK as a job."""

import asyncio
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Form, Header, Request
from starlette.responses import JSONResponse, Response

from toile.service.answer import PICTURES, Answer, respond, wanted_kind
from toile.service.desk import Desk
from toile.service.forms import FORMS, TaskForm
from toile.service.job_routes import JobModel, described
from toile.service.pictures import Pictures
from toile.service.problems import Problem, documented
from toile.service.reception import FORM, PLACE
from toile.service.ticket import Ticket

DECODERS = 2
"""Requests whose pictures are decoded at the same time."""
REFUSALS = (400, 408, 413, 415, 422, 429, 503)
"""Why a request for pictures may not be taken in."""


class TaskRoutes:
    """Reads forms, has their requests drawn, and answers.

    Args:
        desk: of the service.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._decoders = anyio.CapacityLimiter(DECODERS)

    def router(self) -> APIRouter:
        """The routes of all tasks that are offered."""
        router = APIRouter()
        for task in self.desk.settings.tasks:
            self._add(router, task, FORMS[task])
        return router

    def _add(self, router: APIRouter, task: str, form_type: type[TaskForm]) -> None:
        Filled = Annotated[form_type, Form(media_type=FORM)]  # type: ignore[valid-type]
        summary = (form_type.__doc__ or "").strip()

        async def draw(
            request: Request,
            form: Filled,
            accept: Annotated[str | None, Header(include_in_schema=False)] = None,
        ) -> Response:
            kind = wanted_kind(accept)
            ticket = await self._accept(request, form)
            return respond(await finished(ticket, request), kind)

        async def enqueue(request: Request, form: Filled) -> JSONResponse:
            job = self.desk.jobs.add(await self._accept(request, form))
            location = {"Location": f"/v1/jobs/{job.id}"}
            return JSONResponse(described(job, self.desk.line).model_dump(mode="json"), 202, location)

        router.add_api_route(
            f"/v1/{task}",
            draw,
            methods=["POST"],
            tags=["at once"],
            operation_id=task,
            summary=f"Draw at once: {task}",
            description=summary,
            response_class=Response,
            responses={200: PICTURES, **documented(406, *REFUSALS, 504)},
        )
        router.add_api_route(
            f"/v1/jobs/{task}",
            enqueue,
            methods=["POST"],
            tags=["jobs"],
            operation_id=f"{task}_job",
            summary=f"Draw as a job: {task}",
            description=summary,
            status_code=202,
            response_model=JobModel,
            responses=documented(*REFUSALS),
        )

    async def _accept(self, request: Request, form: TaskForm) -> Ticket:
        """Decode, check, and wait in line."""
        pictures = Pictures(self.desk.settings.limits.max_pixels)
        made = await anyio.to_thread.run_sync(form.request, pictures, limiter=self._decoders)
        await anyio.to_thread.run_sync(self.desk.check, made, limiter=self._decoders)
        return self.desk.accept(made, request.scope[PLACE])


async def finished(ticket: Ticket, request: Request) -> Answer:
    """Wait for an answer; a client that goes away cancels its request.

    Raises:
        Problem: why there is none.
    """
    outcome: asyncio.Future[Any] = asyncio.wrap_future(ticket.outcome)
    outcome.add_done_callback(lambda future: future.cancelled() or future.exception())  # it is looked at
    gone: asyncio.Future[Any] = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({outcome, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        ticket.settle(Problem(410, "the client has gone"))  # unless there is an outcome
    if ticket.problem is not None:
        raise ticket.problem.again()
    return ticket.outcome.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
