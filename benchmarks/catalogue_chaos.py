"""A catalogue whose workers are killed at random moments, compared with one that nothing happens to.

    python -m benchmarks.catalogue_chaos
    python -m benchmarks.catalogue_chaos --engine ray

1,000 Paper Dolls, of which 10 % are broken in ten different ways, are restored with the bundled model. Five
workers are killed, and once the coordinator itself, which is then started again with the same command. The
pictures have to be those of the clean run to the byte, every broken item has to be named, nothing may be
missing and nothing recorded twice. The clean run, by processes of this computer, is kept for the next time.
Exit code: 0 when all of that holds.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro
from benchmarks.catalogue_photos import break_rows, write_list, write_photos

from toile.catalogue.manifest import MANIFEST, read_rows

STARTED, RAY_WORKER = b"spawn_main", b"ray::RayWorker"
"""What the command lines of worker processes hold."""
KINDS = 10


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What is done to the catalogue."""

    engine: Literal["local", "ray"] = "local"
    """Where its workers run."""
    photos: int = 1000
    """Items of the list."""
    broken: float = 0.1
    """Share of them that is broken."""
    kills: int = 5
    """Workers that are killed."""
    coordinator_kills: int = 1
    """How often the coordinator is killed and started again."""
    workers: int = 2
    """Workers at a time."""
    batch: int = 2
    """Items that are drawn at once."""
    steps: int = 1
    """Denoising steps."""
    seed: int = 0
    """Of the damage, the moments and the victims."""
    folder: Path = Path("out/catalogue-chaos")
    """Where photos, list and outputs lie."""


def main(arguments: Arguments) -> int:
    photos = arguments.folder / f"photos-{arguments.photos}"
    rows = write_photos(photos, arguments.photos)
    broken = break_rows(rows, photos, arguments.broken, arguments.seed)
    listed = write_list(rows, photos / "list.csv")
    clean, chaos = arguments.folder / "clean", arguments.folder / f"chaos-{arguments.engine}"
    shutil.rmtree(chaos, ignore_errors=True)
    code = _start(arguments, listed, clean, "local").wait()
    if code not in (0, 1):
        raise SystemExit(
            f"the clean run ended with exit code {code}; remove {clean} when it is of another list"
        )
    print(f"clean run: exit code {code}")
    begin = time.monotonic()
    killed = list(_killing(arguments, listed, chaos))
    print(f"chaos with engine {arguments.engine}: {', '.join(killed)}; {time.monotonic() - begin:.0f} s")
    return compare(clean, chaos, broken, arguments.photos)


def _start(arguments: Arguments, listed: Path, output: Path, engine: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "toile.cli.main", "batch", "restore", listed, "-o", output]
    options = {"--engine": engine, "--device": "cpu"}
    options |= {f"--{name}": str(getattr(arguments, name)) for name in ("workers", "batch", "steps")}
    words += [word for pair in options.items() for word in pair]
    return subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _killing(arguments: Arguments, listed: Path, output: Path) -> Iterator[str]:
    """Run the catalogue and kill its processes at random moments; says what was killed, and when."""
    chance = random.Random(arguments.seed)
    victims = ["worker"] * arguments.kills + ["coordinator"] * arguments.coordinator_kills
    chance.shuffle(victims)
    moments = sorted(chance.uniform(0.02, 0.9) * arguments.photos for _ in victims)
    process = _start(arguments, listed, output, arguments.engine)
    for victim, moment in zip(victims, moments, strict=True):
        while _recorded(output) < moment:
            if process.poll() is not None:
                raise SystemExit(f"the run ended by itself with exit code {process.returncode}")
            time.sleep(0.05)
        time.sleep(chance.random())
        if victim == "coordinator":
            process.kill()
            process.wait()
            time.sleep(5)  # its workers end by themselves
            yield f"the coordinator after {_recorded(output)} items"
            process = _start(arguments, listed, output, arguments.engine)
            continue
        while not (workers := _workers(process.pid)):
            time.sleep(0.05)
        yield f"a worker after {_recorded(output)} items"
        os.kill(chance.choice(workers), signal.SIGKILL)
    yield f"exit code {process.wait()}"


def _recorded(output: Path) -> int:
    path = output / MANIFEST
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _workers(coordinator: int) -> list[int]:
    """The worker processes below a coordinator."""
    parents, kinds = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                kinds[int(path.name)] = (path / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended meanwhile

    def below(process: int) -> bool:
        while process in parents:
            process = parents[process]
            if process == coordinator:
                return True
        return False

    return [
        process
        for process, words in kinds.items()
        if (STARTED in words or words.startswith(RAY_WORKER)) and below(process)
    ]


def compare(clean: Path, chaos: Path, broken: set[int], count: int) -> int:
    """Say how the two runs differ; returns the exit code."""
    rows = list(read_rows(chaos / MANIFEST))
    times = Counter(row["number"] for row in rows)
    named = {row["number"] for row in rows if row["state"] == "failed" and row["error"]}
    wanted, found = _pictures(clean), _pictures(chaos)
    equal = sum(found.get(name) == digest for name, digest in wanted.items())
    more = len(set(found) - set(wanted))
    print(f"pictures of the clean run: {len(wanted)}; equal to the byte: {equal}; further ones: {more}")
    print(f"broken items: {len(broken)}; named with their reason: {len(named & broken)}")
    print(f"good items named: {len(named - broken)}")
    print(f"items without a row: {count - len(times)}; with two: {sum(n > 1 for n in times.values())}")
    again = sum(row["attempts"] > 1 for row in rows)
    print(f"items that were begun more than once: {again}")
    for row in sorted(rows, key=lambda row: row["number"]):
        if row["number"] in sorted(broken)[:KINDS]:
            print(f"  {json.dumps(row['name'])}: {row['error']}")
    whole = equal == len(wanted) == len(found) == count - len(broken)
    return 0 if whole and named == broken and set(times.values()) == {1} and len(times) == count else 1


def _pictures(output: Path) -> dict[str, str]:
    folder = output / "pictures"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.png")
    }


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Arguments)))
