"""A service on a real port of this machine, with a real HTTP client."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any

import httpx
import numpy as np
from PIL import Image

from toile.service.desk import Desk
from toile.service.server import Server, listen, url_of


@contextmanager
def serving(desk: Desk) -> Iterator[httpx.Client]:
    """Serve in a thread until the end; the client is patient and goes nowhere else."""
    server = Server(desk)
    with listen("127.0.0.1", 0) as listener:
        thread = Thread(target=server.serve_on, args=(listener,))
        thread.start()
        try:
            with httpx.Client(base_url=url_of(listener), timeout=60, trust_env=False) as client:
                wait_for(lambda: answers(client) and (desk.worker.ready or desk.error), 120)
                assert desk.error is None, desk.error
                yield client
        finally:
            server.should_exit = True
            desk.give_up()
            thread.join(30)
    assert not thread.is_alive()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What a condition says once it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"it did not come true in {seconds} seconds")


def png_of(picture: Image.Image | None = None) -> bytes:
    content = BytesIO()
    (picture or Image.new("RGB", (12, 16), "red")).save(content, format="PNG")
    return content.getvalue()


def pixels(content: bytes) -> np.ndarray:
    with Image.open(BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


PHOTO = {"photo": ("photo.png", png_of(), "image/png")}
