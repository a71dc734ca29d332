"""The service as a process: signals, and more requests than it can do."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.service.serving import PHOTO, answers, pixels, png_of, serving, wait_for
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.errors import ToileError
from toile.service.desk import Desk
from toile.service.server import Server, listen, url_of
from toile.service.settings import Settings
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import Drawing
from toile.tasks.models import Models
from toile.tasks.restore import RestoreRequest

PROGRAM = """
import sys
from tests.service.stand_in import StandIn
from toile.service.desk import Desk
from toile.service.server import Server, listen, url_of
from toile.service.settings import Settings

listener = listen("127.0.0.1", 0)
print(url_of(listener), flush=True)
desk = Desk(StandIn(seconds=0.05), Settings(grace=float(sys.argv[1])))
sys.exit(Server(desk).serve_on(listener))
"""
"""Serves with the stand-in, which takes 0.05 s a step."""


@contextmanager
def process(grace: float) -> Iterator[tuple[subprocess.Popen, httpx.Client]]:
    """A service in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, str(grace)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        try:
            url = run.stdout.readline().strip()
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                wait_for(lambda: answers(client))
                yield run, client
        finally:
            run.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_accepted_and_goes_quietly(sent):
    with process(grace=20) as (run, client):
        job = client.post("/v1/jobs/restore", files=PHOTO, data={"steps": "20", "seed": "5"}).json()["id"]
        run.send_signal(sent)
        wait_for(lambda: client.get("/ready").status_code == 503)
        refused = client.post("/v1/restore", files=PHOTO)
        assert refused.status_code == 503 and "stopping" in refused.json()["detail"]
        wait_for(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done")
        picture = client.get(f"/v1/jobs/{job}/result").content
        assert pixels(picture)[0, 0].tolist() == [5, 0, 0]
        assert run.wait(10) == 0
        assert run.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_its_patience_has_an_end():
    with process(grace=0.3) as (run, client):
        client.post("/v1/jobs/restore", files=PHOTO, data={"steps": "100"})
        run.terminate()
        assert run.wait(10) == 0
        assert run.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_second_signal_ends_it_at_once():
    with process(grace=60) as (run, client):
        client.post("/v1/jobs/restore", files=PHOTO, data={"steps": "100"})
        run.terminate()
        wait_for(lambda: client.get("/ready").status_code == 503)
        run.terminate()
        assert run.wait(10) == 130


def test_models_that_are_not_there_end_it():
    class Missing(StandIn):
        def load(self, *systems: str) -> None:
            raise ToileError("there is no such model; name another")

    server = Server(Desk(Missing()))
    with listen("127.0.0.1", 0) as listener, pytest.raises(ToileError, match="no such model"):
        server.serve_on(listener)


def test_a_port_that_is_taken_is_named():
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ToileError, match=f"127.0.0.1:{port} cannot be listened on"):
            listen("127.0.0.1", port)
        assert url_of(taken) == f"http://127.0.0.1:{port}"


SEEDS = 6


@pytest.fixture(scope="module")
def loaded(igr_folder: Path):
    """A service with a real model, so small that it draws many pictures a second, and each drawn alone."""
    atelier = Atelier(Models(igr=str(igr_folder), device="cpu"))
    alone = {}
    for seed in range(SEEDS):
        photo = Image.new("RGB", (32, 64), "red")
        drawing = Drawing(steps=2, guidance=1.0)
        request = RestoreRequest(photo=photo, mask=None, seed=seed, drawing=drawing)
        alone[seed] = np.asarray(atelier.run([request])[0].main).astype(int)
    with serving(Desk(atelier, Settings(tasks=("restore",), queue=4, batch=4))) as client:
        yield client, alone


def test_more_than_it_can_do_is_answered_correctly_or_refused_politely(loaded):
    """The small form of benchmarks/service_load.py."""
    client, alone = loaded
    photo = {"photo": ("photo.png", png_of(Image.new("RGB", (32, 64), "red")))}
    data = {"steps": "2", "guidance": "1", "find_mask": "false"}

    async def ask(sender: httpx.AsyncClient, seed: int) -> tuple[int, httpx.Response]:
        return seed, await sender.post("/v1/restore", files=photo, data=data | {"seed": str(seed)})

    async def flood() -> list[tuple[int, httpx.Response]]:
        async with httpx.AsyncClient(base_url=client.base_url, timeout=60, trust_env=False) as sender:
            return await asyncio.gather(*(ask(sender, number % SEEDS) for number in range(60)))

    answered = asyncio.run(flood())
    statuses = Counter(answer.status_code for _, answer in answered)
    assert set(statuses) == {200, 429}, statuses
    for seed, answer in answered:
        if answer.status_code == 200:
            assert np.abs(pixels(answer.content) - alone[seed]).max() <= 1
        else:
            assert 1 <= int(answer.headers["retry-after"]) <= 600
            assert json.loads(answer.content)["status"] == 429
    assert client.get("/ready").status_code == 200
