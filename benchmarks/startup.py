"""How long Python takes to import toile, and `toile --help` to print: processor time, best of five.

Usage: python -m benchmarks.startup
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, getrusage

REPEATS = 5


@dataclass(frozen=True)
class Start:
    """Something that is started, and what it may take."""

    name: str
    """What it is called."""
    arguments: tuple[str, ...]
    """Of Python."""
    seconds: float
    """Of the processor's time that it may take, Python's own start included."""


STARTS = (
    Start("python", ("-c", "pass"), 0.1),
    Start("import toile", ("-c", "import toile"), 0.3),
    Start("toile --version", ("-m", "toile", "--version"), 0.3),
    Start("toile --help", ("-m", "toile", "--help"), 0.5),
)


def processor_seconds(arguments: Sequence[str]) -> float:
    """Seconds of the processor's time, user and system, that a fresh Python takes."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def best_of(arguments: Sequence[str], repeats: int = REPEATS) -> float:
    """The least of several measurements: what disturbs a start only ever adds to it."""
    return min(processor_seconds(arguments) for _ in range(repeats))


def main() -> None:
    """Measure and print everything."""
    for start in STARTS:
        print(f"{start.name:<16} {best_of(start.arguments):.3f} s of at most {start.seconds} s")


if __name__ == "__main__":
    main()
