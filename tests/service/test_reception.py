import asyncio
import time

import pytest
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.desk import Desk
from toile.service.limits import Limits
from toile.service.reception import PLACE, Reception
from toile.service.settings import Settings

HEADERS = [(b"content-type", b"multipart/form-data; boundary=x")]


def served(limits: Limits, parts: list[bytes], *, pause: float = 0.0, headers=HEADERS, queue: int = 2):
    """Send a body in parts; gives what was answered, what the application read, and the desk."""
    desk, sent, read = Desk(StandIn(), Settings(limits=limits, queue=queue)), [], []
    left = list(parts)

    async def receive():
        await asyncio.sleep(pause)
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        assert scope[PLACE].ticket is None and len(desk.line) == 1
        more = True
        while more:
            message = await receive()
            read.append(len(message["body"]))
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def run():
        scope = {"type": "http", "path": "/v1/restore", "method": "POST", "headers": headers}
        try:
            await Reception(app, desk)(scope, receive, send)
        except Exception as error:  # the application's own handlers answer it
            sent.append({"status": error.status_code})

    asyncio.run(run())
    return sent[0]["status"], sum(read), desk, len(left)


def test_a_body_within_the_limit_passes_and_its_place_is_given_back():
    status, read, desk, left = served(Limits(), [b"a" * 100, b"b" * 100])
    assert (status, read, left) == (200, 200, 0)
    assert len(desk.line) == 0


def test_a_body_beyond_the_limit_is_stopped_while_it_arrives():
    status, read, desk, _ = served(Limits(max_megabytes=0.001), [b"a" * 600] * 100)
    assert (status, read) == (413, 600)
    assert len(desk.line) == 0


def test_a_body_that_says_that_it_is_too_large_is_not_given_to_the_application():
    headers = [*HEADERS, (b"content-length", b"1001")]
    status, read, _, _ = served(Limits(max_megabytes=0.001), [b"a" * 1001], headers=headers)
    assert (status, read) == (413, 0)


def test_a_body_that_takes_too_long_is_given_up():
    began = time.monotonic()
    status, _, desk, left = served(Limits(max_upload_seconds=0.1), [b"a"] * 50, pause=0.05)
    assert status == 408 and left > 40 and time.monotonic() - began < 2
    assert len(desk.line) == 0


def test_other_content_is_refused_unread():
    status, read, _, _ = served(Limits(), [b"{}"], headers=[(b"content-type", b"application/json")])
    assert (status, read) == (415, 0)
