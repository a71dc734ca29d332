"""A stand-in for the model, for tests of what is around it: it draws plain pictures, as fast as told."""

import time
from collections.abc import Sequence
from threading import Event

from PIL import Image

from toile.errors import ToileError
from toile.tasks.models import Models
from toile.tasks.request import Request
from toile.tasks.result import Result
from toile.tasks.step import OnStep, Step

UNKNOWN_SEED, BREAKING_SEED = 404, 500


class StandIn:
    """Takes the place of an `Atelier`. No network is behind it: a picture's colour is its seed.

    It refuses `UNKNOWN_SEED` alone, as a mask that marks nothing, and breaks down at `BREAKING_SEED`.
    """

    def __init__(self, *, seconds: float = 0.0, models: Models | None = None) -> None:
        self.models = models or Models()
        self.seconds = seconds
        self.go = Event()
        self.go.set()
        self.batches: list[list[int]] = []
        self.steps = 0

    def load(self, *systems: str) -> None:
        self.loaded = systems

    def run(self, requests: Sequence[Request], on_step: OnStep) -> list[Result | ToileError]:
        assert len({request.group for request in requests}) == 1
        self.batches.append([request.seed for request in requests])
        self.go.wait(20)
        if any(request.seed == BREAKING_SEED for request in requests):
            raise RuntimeError("a fault of the stand-in")
        for _ in range(requests[0].total_steps(self.models)):
            time.sleep(self.seconds)
            self.steps += 1
            on_step(Step(items=len(requests), preview=list))
        return [self._drawn(request) for request in requests]

    def _drawn(self, request: Request) -> Result | ToileError:
        if request.seed == UNKNOWN_SEED:
            return ToileError("nothing of the mask remains")
        picture = Image.new("RGB", (8, 8), (request.seed % 256, 0, 0))
        return Result(pictures={"garment": picture}, metadata=request.settings(), notes=("a note",))
