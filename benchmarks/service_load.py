"""A service under several times the load that it can bear, over real HTTP on this machine.

Starts `toile serve`, measures how many pictures a second it draws, then sends several times as many requests,
at random moments, whether or not earlier ones were answered. Counts what was answered with the right picture
(at most 1 of 255 away from the one that is drawn alone), what was refused politely (429 with Retry-After),
and anything else, which must not be; and how much memory the service holds before, at most, and after.

    python -m benchmarks.service_load --seconds 60

Exit code: 0 when every answer was the right picture or a polite refusal, else 1.
"""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from statistics import median

import httpx
import numpy as np
import tyro
from PIL import Image
from rich.console import Console
from rich.table import Table

from toile.dolls import draw_doll
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest

FIRST_UNSEEN = 10_000_000
MEMORY = "process_resident_memory_bytes"
PATIENCE = 120.0
"""Seconds that the service may take to be ready, and a request to be answered."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How much is asked of the service, and for how long."""

    seconds: float = 60
    """How long the load lasts."""
    overload: float = 4
    """Requests that are sent, as a multiple of what the service can draw."""
    capacity_seconds: float = 15
    """How long that is measured for, before."""
    photos: int = 8
    """Different requests, each with a photo and a seed of its own."""
    steps: int = 2
    """Denoising steps of each."""
    batch: int = 4
    """Requests that the service draws at once."""
    queue: int = 16
    """Requests that may wait."""
    seed: int = 0
    """Of the moments at which requests are sent."""
    model: str = "tiny"
    """What restores."""
    device: str = "cpu"
    """What it runs on."""


@dataclass(kw_only=True)
class Seen:
    """What came back."""

    statuses: Counter = field(default_factory=Counter)
    """How many answers had each status; 0 is no answer at all."""
    latencies: list[float] = field(default_factory=list)
    """Seconds until each picture was there."""
    refusals: list[float] = field(default_factory=list)
    """Seconds until each refusal was there."""
    worst: int = 0
    """The largest difference of a pixel from the picture that was drawn alone, of 255."""
    impolite: int = 0
    """Refusals that did not say when to come back."""
    memory: list[float] = field(default_factory=list)
    """Bytes that the service held, once a second."""

    @property
    def sound(self) -> bool:
        """Whether nothing but right pictures and polite refusals came back."""
        return set(self.statuses) <= {200, 429} and self.worst <= 1 and not self.impolite


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request that is sent again and again, and what has to come of it."""

    photo: bytes
    mask: bytes
    data: dict[str, str]
    picture: np.ndarray

    @property
    def form(self) -> dict[str, object]:
        """What httpx sends."""
        return {"files": {"photo": self.photo, "mask": self.mask}, "data": self.data}


def main(settings: Settings) -> int:
    """Measure, and print a table."""
    asked = drawn_alone(settings)
    with served(settings) as url:
        capacity = asyncio.run(measure_capacity(url, asked, settings))
        print(
            f"capacity: {capacity:.2f} pictures/s; asking for {settings.overload * capacity:.2f}/s",
            flush=True,
        )
        before = figures(url)
        seen = asyncio.run(flood(url, asked, capacity * settings.overload, settings))
        after = settled_figures(url)
    Console().print(table(seen, capacity, before, after, settings))
    return 0 if seen.sound else 1


def drawn_alone(settings: Settings) -> list[Asked]:
    """The requests, with the pictures that come of each when it is drawn by itself."""
    from toile.tasks.models import Models

    atelier = Atelier(Models(igr=settings.model, device=settings.device))
    asked = []
    for number in range(settings.photos):
        doll = draw_doll(FIRST_UNSEEN + number, category="upper")
        photo, mask = Image.fromarray(doll.person), Image.fromarray(doll.agnostic_mask)
        drawing = Drawing(steps=settings.steps, guidance=1.5)
        request = RestoreRequest(photo=photo, mask=mask, seed=number, drawing=drawing)
        (result,) = atelier.run([request])
        data = {"steps": str(settings.steps), "guidance": "1.5", "seed": str(number)}
        picture = np.asarray(result.main).astype(int)
        asked.append(Asked(photo=png(photo), mask=png(mask), data=data, picture=picture))
    return asked


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The service in a process of its own; it has to end well."""
    words = ["--port", "0", "--tasks", "restore", "--igr", settings.model, "--device", settings.device]
    words += ["--batch", str(settings.batch), "--queue", str(settings.queue)]
    command = [sys.executable, "-m", "toile", "serve", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as run:
        try:
            url = run.stdout.readline().strip()
            wait_until_ready(url)
            yield url
            run.send_signal(signal.SIGTERM)
            code = run.wait(PATIENCE)
            print(f"exit code after SIGTERM: {code}")
        finally:
            run.kill()


def wait_until_ready(url: str) -> None:
    """Wait for the models."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready", trust_env=False, timeout=PATIENCE).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit("the service did not become ready")


async def measure_capacity(url: str, asked: list[Asked], settings: Settings) -> float:
    """Pictures a second, when as many clients as fit a batch each ask again as soon as they are answered."""
    until, done = time.monotonic() + settings.capacity_seconds, 0

    async def client(number: int) -> None:
        nonlocal done
        while time.monotonic() < until:
            answer = await sender.post(f"{url}/v1/restore", **asked[number % len(asked)].form)
            done += answer.status_code == 200

    async with patient_client() as sender:
        await client(0)  # once, so that nothing is made for the first time while it is measured
        until, done = time.monotonic() + settings.capacity_seconds, 0
        began = time.monotonic()
        await asyncio.gather(*(client(number) for number in range(2 * settings.batch)))
    return done / (time.monotonic() - began)


async def flood(url: str, asked: list[Asked], rate: float, settings: Settings) -> Seen:
    """Send requests at random moments, `rate` a second (a Poisson process), and look at what comes back."""
    seen, dice, sent = Seen(), random.Random(settings.seed), set()
    async with patient_client() as sender:
        watching = asyncio.create_task(watch_memory(url, seen))
        until = time.monotonic() + settings.seconds
        while time.monotonic() < until:
            sent.add(asyncio.create_task(ask(sender, url, dice.choice(asked), seen)))
            await asyncio.sleep(dice.expovariate(rate))
        await asyncio.gather(*sent)
        watching.cancel()
    return seen


async def ask(sender: httpx.AsyncClient, url: str, asked: Asked, seen: Seen) -> None:
    """Send one request, and note what came back."""
    began = time.monotonic()
    try:
        answer = await sender.post(f"{url}/v1/restore", **asked.form)
    except httpx.HTTPError as error:
        print(f"no answer: {error!r}", file=sys.stderr)
        seen.statuses[0] += 1
        return
    seconds = time.monotonic() - began
    seen.statuses[answer.status_code] += 1
    if answer.status_code == 200:
        seen.latencies.append(seconds)
        with Image.open(BytesIO(answer.content)) as picture:
            difference = np.abs(np.asarray(picture).astype(int) - asked.picture).max()
        seen.worst = max(seen.worst, int(difference))
    else:
        seen.refusals.append(seconds)
        seen.impolite += not answer.headers.get("retry-after", "").isdecimal()


async def watch_memory(url: str, seen: Seen) -> None:
    """Note the service's memory once a second."""
    async with patient_client() as sender:
        while True:
            seen.memory.append(parsed((await sender.get(f"{url}/metrics")).text)[MEMORY])
            await asyncio.sleep(1)


def patient_client() -> httpx.AsyncClient:
    """A client that waits, and goes nowhere but to this machine."""
    return httpx.AsyncClient(timeout=PATIENCE, trust_env=False, limits=httpx.Limits(max_connections=None))


def figures(url: str) -> dict[str, float]:
    """What the service tells Prometheus; of the samples without labels."""
    return parsed(httpx.get(f"{url}/metrics", trust_env=False, timeout=PATIENCE).text)


def settled_figures(url: str) -> dict[str, float]:
    """The same, some seconds after the last answer."""
    time.sleep(3)
    return figures(url)


def parsed(text: str) -> dict[str, float]:
    """The samples without labels in Prometheus's text format."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, flags=re.MULTILINE)}


def png(picture: Image.Image) -> bytes:
    """A picture as it is sent."""
    content = BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()


def table(
    seen: Seen, capacity: float, before: dict[str, float], after: dict[str, float], settings: Settings
) -> Table:
    """What was measured, a line each."""
    batches = after["toile_batch_size_count"] - before["toile_batch_size_count"]
    drawn = after["toile_batch_size_sum"] - before["toile_batch_size_sum"]
    sent, right = sum(seen.statuses.values()), seen.statuses[200]
    others = {status: count for status, count in seen.statuses.items() if status not in (200, 429)}
    half = len(seen.memory) // 2
    held = [
        before[MEMORY],
        median(seen.memory[: half + 1]),
        median(seen.memory[half:]),
        max(seen.memory),
        after[MEMORY],
    ]
    lines = {
        "capacity, pictures/s": f"{capacity:.2f}",
        "sent, requests/s": f"{sent / settings.seconds:.2f} ({sent} in {settings.seconds:g} s)",
        "drawn, pictures/s": f"{right / settings.seconds:.2f} ({right})",
        "farthest from the picture drawn alone, of 255": str(seen.worst),
        "refused with 429 and Retry-After": str(seen.statuses[429] - seen.impolite),
        "anything else": str(others or 0),
        "mean batch": f"{drawn / max(1, batches):.2f}",
        "seconds to a picture, p50 / p95 / most": quantiles(seen.latencies),
        "seconds to a refusal, p50 / p95 / most": quantiles(seen.refusals),
        "MiB held before / first half / second half / at most / after": " / ".join(
            f"{value / 2**20:.0f}" for value in held
        ),
    }
    shown = Table("figure", "value", title=f"toile serve, {settings.overload:g} times its capacity")
    for name, value in lines.items():
        shown.add_row(name, value)
    return shown


def quantiles(values: list[float]) -> str:
    """Median, 95th percentile and maximum."""
    if not values:
        return "–"
    return " / ".join(f"{value:.3f}" for value in np.quantile(values, [0.5, 0.95, 1.0]))


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Settings, description=__doc__)))
