"""What a catalogue costs beyond its model: items a second by number of workers, and lists of a million lines.

    python -m benchmarks.catalogue throughput      # 1 and 2 workers on this computer's processors
    python -m benchmarks.catalogue million         # planned, started, interrupted, resumed; no model

`throughput` restores Paper Dolls with the bundled model, each number of workers from nothing, and says how
much of the workers' time was not the model's: waiting for a picture to be decoded, for a block to come or to
be written. `million` has a stand-in for the model, which copies its photo: all the rest is measured.
"""

import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from benchmarks.catalogue_photos import write_list, write_photos
from rich.console import Console
from rich.table import Table

from toile.catalogue.job import WorkerSettings
from toile.catalogue.lists import open_list
from toile.catalogue.local_engine import threads_each
from toile.catalogue.manifest import MANIFEST
from toile.catalogue.run import Summary, run_catalogue
from toile.catalogue.settings import CatalogueSettings
from toile.errors import ToileError
from toile.tasks.models import Models
from toile.tasks.request import Request
from toile.tasks.result import Result


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Restore photos with 1, 2, ... workers."""

    photos: int = 60
    """Items of the list."""
    workers: tuple[int, ...] = (1, 2)
    """Numbers of workers to compare."""
    batch: int = 2
    """Items that are drawn at once."""
    steps: int = 25
    """Denoising steps."""
    size: tuple[int, int] = (1024, 768)
    """(height, width) of the photos; the model works at its own size."""
    device: str = "cpu"
    """Where the model runs."""
    folder: Path = Path("out/catalogue")
    """Where photos and outputs lie."""

    def run(self) -> None:
        """Measure, and print a table."""
        photos = self.folder / f"photos-{self.size[0]}x{self.size[1]}"
        rows = write_photos(photos, self.photos, self.size)
        items = open_list(str(write_list(rows, photos / f"list-{self.photos}.csv")), "restore")
        table = Table("workers", "threads each", "ready after", "items a second", "not the model's")
        for workers in self.workers:
            output = self.folder / f"workers-{workers}"
            shutil.rmtree(output, ignore_errors=True)
            settings = CatalogueSettings(
                models=Models(device=self.device),
                defaults={"steps": self.steps},
                batch=self.batch,
                workers=workers,
            )
            table.add_row(*_measured(run_catalogue("restore", items, output, settings), workers))
        Console().print(table)


def _measured(summary: Summary, workers: int) -> Sequence[str]:
    drawing = summary.seconds - summary.startup_seconds
    return (
        f"{workers}",
        f"{threads_each(workers)}",
        f"{summary.startup_seconds:.1f} s",
        f"{summary.recorded / drawing:.3f}",
        f"{1 - summary.model_seconds / summary.worker_seconds:.1%}",
    )


class Copier:
    """Stands in for the model: gives photos back as they are."""

    def run(self, requests: Sequence[Request]) -> list[Result | ToileError]:
        """Give the photos back."""
        return [
            Result(pictures={"garment": request.photo}, metadata=request.settings())  # type: ignore[attr-defined]
            for request in requests
        ]


def copier(settings: WorkerSettings) -> Copier:
    """Makes the stand-in in a worker."""
    return Copier()


@dataclass(frozen=True, kw_only=True)
class Million:
    """Begin a list of a million lines, interrupt it, and take it up again, with a stand-in for the model."""

    lines: int = 1_000_000
    """Lines of the list."""
    seconds: float = 20
    """Between start and Ctrl-C, each time."""
    runs: int = 2
    """How often it is begun or taken up."""
    workers: int = 2
    """Processes that copy."""
    folder: Path = Path("out/catalogue-million")
    """Where list and output lie."""
    coordinate: bool = False
    """Be the run itself."""

    def run(self) -> None:
        """Measure, and print what was measured."""
        if self.coordinate:
            self._coordinate()
            return
        listed, output = self._list(), self.folder / "out"
        shutil.rmtree(output, ignore_errors=True)
        print(f"a list of {self.lines:,} lines, {listed.stat().st_size / 1e6:.0f} MB")
        for _ in range(self.runs):
            self._interrupted(output)

    def _list(self) -> Path:
        photo = write_photos(self.folder, 1, (64, 48))[0]["photo"]
        listed = self.folder / f"list-{self.lines}.csv"
        if not listed.exists():
            with listed.open("w") as file:
                file.write("name,photo,seed\n")
                file.writelines(f"item-{number},{photo},{number}\n" for number in range(self.lines))
        return listed

    def _interrupted(self, output: Path) -> None:
        """One run in a process of its own, and Ctrl-C."""
        words = [sys.executable, "-m", "benchmarks.catalogue", "million", "--coordinate"]
        words += ["--lines", str(self.lines), "--folder", str(self.folder), "--workers", str(self.workers)]
        before, begin = _lines(output), time.monotonic()
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        while _lines(output) == before and process.poll() is None:
            time.sleep(0.05)
        first = time.monotonic() - begin
        time.sleep(self.seconds)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
        after = _lines(output)
        rate = (after - before) / self.seconds
        print(
            f"{before:,} lines recorded before; the first one now after {first:.1f} s; {rate:.0f} a second;"
        )
        print(f"  after Ctrl-C {after:,}; {said.strip()}")

    def _coordinate(self) -> None:
        settings = CatalogueSettings(drawer=copier, batch=8, workers=self.workers)
        begin = time.monotonic()
        items = open_list(str(self.folder / f"list-{self.lines}.csv"), "restore")
        opened = time.monotonic() - begin
        try:
            run_catalogue("restore", items, self.folder / "out", settings)
        except KeyboardInterrupt as stop:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{stop}; the list was opened in {opened:.1f} s; largest memory {peak:.0f} MB")


def _lines(output: Path) -> int:
    path = output / MANIFEST
    return path.read_bytes().count(b"\n") if path.exists() else 0


Command = (
    Annotated[Throughput, tyro.conf.subcommand("throughput")]
    | Annotated[Million, tyro.conf.subcommand("million")]
)

if __name__ == "__main__":
    tyro.cli(Command, config=(tyro.conf.OmitSubcommandPrefixes,)).run()  # type: ignore[arg-type]
