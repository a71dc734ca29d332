"""Requests for pictures as they arrive: first a place in the queue, then their bytes, counted."""

import asyncio
import time
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toile.service.desk import Desk
from toile.service.problems import Problem, problem_response

PLACE = "toile.place"
"""Where the scope of a request for pictures holds its place in the queue."""
DRAINED_SECONDS = 2.0
"""How long the rest of a refused request is read, so that its sender hears why instead of a broken pipe."""
FORM = "multipart/form-data"


class Body:
    """The body of one request, counted as it arrives.

    Args:
        receive: where it comes from.
        max_bytes: after which it is refused.
        seconds: that it may take.
    """

    def __init__(self, receive: Receive, max_bytes: int, seconds: float) -> None:
        self._receive, self.max_bytes = receive, max_bytes
        self.seconds, self.until = seconds, time.monotonic() + seconds
        self.bytes = 0
        self.complete = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            Problem: 413 when there were too many bytes, 408 when they take too long.
        """
        if self.complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, self.until - time.monotonic()))
        except TimeoutError as error:
            raise Problem(408, f"the request did not arrive within {self.seconds:g} seconds") from error
        self._note(message)
        if self.bytes > self.max_bytes:
            raise too_large(self.max_bytes)
        return message

    async def drain(self) -> None:
        """Read the rest and throw it away; as much as is allowed, and for a short time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_SECONDS):
                while not self.complete and self.bytes <= 2 * self.max_bytes:
                    self._note(await self._receive())

    def _note(self, message: Message) -> None:
        self.bytes += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)


class Reception:
    """Takes requests for pictures in, within limits; others pass.

    Args:
        app: what reads them.
        desk: whose queue they wait in.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app, self.desk = app, desk
        paths = {f"/v1/{task}": task for task in desk.settings.tasks}
        self.tasks = paths | {f"/v1/jobs/{task}": task for task in desk.settings.tasks}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        task = self.tasks.get(scope["path"]) if scope["type"] == "http" else None
        if task is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        limits, headers = self.desk.settings.limits, Headers(scope=scope)
        body = Body(receive, limits.max_bytes, limits.max_upload_seconds)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.desk.metrics.requests.labels(task, str(message["status"])).inc()
                if headers.get("expect", "").lower() != "100-continue":  # nobody sends a body unasked then
                    await body.drain()
            await send(message)

        try:
            check_headers(headers, limits.max_bytes)
            place = self.desk.enter()
        except Problem as problem:
            answer = problem_response(problem.status_code, problem.detail, problem.headers)
            await answer(scope, body.receive, send_counted)
            return
        try:
            await self.app({**scope, PLACE: place}, body.receive, send_counted)
        finally:
            if place.ticket is None:
                place.leave()


def check_headers(headers: Headers, max_bytes: int) -> None:
    """Refuse what is no form, or says itself that it is too large, before it is read.

    Raises:
        Problem: 415 or 413.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise Problem(415, f"the content type is {kind[:100] or 'missing'}; send {FORM}, pictures as files")
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large(max_bytes)


def too_large(max_bytes: int) -> Problem:
    """What to say of too many bytes."""
    return Problem(413, f"the request has more than {max_bytes:,} bytes; send smaller pictures")
