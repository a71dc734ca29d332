"""A stand-in for the models, and lists for it: what a catalogue does around a model is tested with these.

It draws at once, in any process, without torch. Photos of one colour tell it to misbehave.
"""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageOps

from toile.catalogue.job import WorkerSettings
from toile.catalogue.lists import open_list
from toile.errors import ToileError
from toile.tasks.request import Request
from toile.tasks.result import Result

SIZE = (12, 16)
DEADLY, HANGING, REFUSED, BUGGY = "red", "blue", "lime", "magenta"
"""Photos that kill their worker, never end, cannot be drawn, or meet a bug."""
DEADLY_ONCE, BUGGY_ONCE = "yellow", "cyan"
"""Photos that do so the first time only."""
COLOURS = {
    (255, 0, 0): DEADLY,
    (0, 0, 255): HANGING,
    (0, 255, 0): REFUSED,
    (255, 0, 255): BUGGY,
    (255, 255, 0): DEADLY_ONCE,
    (0, 255, 255): BUGGY_ONCE,
}


@dataclass
class StandIn:
    """Draws the negative of a photo with the seed in its corner, after some seconds."""

    seconds: float = 0.0
    seen: Path = Path("seen")
    """Before these files' names stands what was met once."""

    def run(self, requests: Sequence[Request]) -> list[Result | ToileError]:
        assert len({request.group for request in requests}) == 1
        time.sleep(self.seconds)
        return [self._drawn(request) for request in requests]

    def _drawn(self, request: Request) -> Result | ToileError:
        photo = request.photo.convert("RGB")
        colour = COLOURS.get(photo.getpixel((0, 0)), "")
        if colour in (DEADLY_ONCE, BUGGY_ONCE):
            met = self.seen.with_name(f"{self.seen.name}-{colour}")
            colour = "" if met.exists() else {DEADLY_ONCE: DEADLY, BUGGY_ONCE: BUGGY}[colour]
            met.touch()
        match colour:
            case "red":
                os.kill(os.getpid(), signal.SIGKILL)
            case "blue":
                time.sleep(600)
            case "lime":
                return ToileError("nothing can be drawn of it; give another photo")
            case "magenta":
                raise RuntimeError("a bug")
        negative = ImageOps.invert(photo)
        negative.putpixel((0, 0), (request.seed % 256, 0, 0))
        return Result(pictures={"garment": negative}, metadata=request.settings())


def _make(settings: WorkerSettings, seconds: float) -> StandIn:
    return StandIn(seconds, settings.output.with_name("seen"))


def missing_model(settings: WorkerSettings) -> StandIn:
    """Makes nothing, as where a model's folder is not there."""
    raise ToileError("the model is not there; check the name")


def dying(settings: WorkerSettings) -> StandIn:
    """Dies in its place, as where the memory does not suffice for a model."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def stand_in(seconds: float = 0.0):
    """Makes one in each worker; each batch takes some seconds."""
    return partial(_make, seconds=seconds)


def write_photos(folder: Path, count: int, special: dict[int, str] | None = None) -> Path:
    """A CSV list of small photos, each of its own grey; `special` ones are of a colour, or `missing`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["photo,seed"]
    for number in range(count):
        colour = (special or {}).get(number, (10 + number % 200,) * 3)
        if colour != "missing":
            Image.new("RGB", SIZE, colour).save(folder / f"{number:05d}.png")
        lines.append(f"{number:05d}.png,{number}")
    listed = folder / "list.csv"
    listed.write_text("\n".join(lines) + "\n")
    return listed


def open_photos(folder: Path, count: int, special: dict[int, str] | None = None):
    """The same, opened for `restore`."""
    return open_list(str(write_photos(folder, count, special)), "restore")
