"""An output folder belongs to one run: its list and settings, and the one process that is at work in it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from toile import __version__
from toile.errors import ToileError
from toile.files import check_writable, write_text

RUN_FILE = "run.json"
LOCK = ".lock"
LONGEST_VALUE = 80
"""Letters of a value that a message shows."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep every other run out of an output folder; the lock of a process that dies goes with it.

    Raises:
        ToileError: when another run is at work there, or the folder cannot be written.
    """
    check_writable(folder)
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise ToileError(
            f"another run is at work in {folder}; wait for it, stop it, or choose another output"
        ) from error
    except OSError as error:
        raise ToileError(f"{folder} cannot be locked ({error.strerror or error})") from error
    try:
        yield
    finally:
        lock.release()


def claim(folder: Path, description: Mapping[str, Any], *, begun: bool = True) -> None:
    """Write down what a folder's run is, or see that the run that is there is the same.

    Args:
        folder: of the output, held.
        description: of list and settings, JSON.
        begun: whether the run that is there has recorded anything; one that has not gives way.

    Raises:
        ToileError: when the folder holds something else, or a run with other values, which are named.
    """
    wanted: dict[str, Any] = json.loads(json.dumps(description))
    path = folder / RUN_FILE
    there = path.is_file()
    if there and begun:
        _compare(path, _read(path), wanted)
        return
    foreign = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    if foreign and not there:
        raise ToileError(
            f"{folder} holds {foreign[0]!r} and no {RUN_FILE}, so it is not the output of a catalogue; "
            "choose another output"
        )
    write_text(json.dumps({"toile": __version__} | wanted, indent=2) + "\n", path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found, dict):
            return found
        raise ValueError("no JSON object")
    except (OSError, ValueError) as error:
        raise ToileError(f"{path} is damaged ({error}); choose another output") from error


def _compare(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ToileError(
                f"{path.parent} was begun with {_difference(name, found.get(name), value)}; "
                "give the same, remove the folder, or choose another output"
            )


def _difference(name: str, old: object, new: object) -> str:
    """What was there, and what is wanted now: of a setting within settings, that one alone."""
    if isinstance(old, dict) and isinstance(new, dict):
        for inner in (*new, *old):
            if old.get(inner) != new.get(inner):
                return _difference(inner, old.get(inner), new.get(inner))
    if name == "fingerprint":
        return "another list, or the list has changed since"
    return f"{name} {_shown(old)}, and this is {name} {_shown(new)}"


def _shown(value: object) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(side, int) for side in value):
        text = "x".join(map(str, value))  # a size, as users write it
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
