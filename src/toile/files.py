"""Files that appear whole or not at all: written beside, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toile.errors import ToileError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to, and rename it to `path` when the block ends without an error.

    Raises:
        ToileError: when the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def write_text(text: str, path: Path) -> None:
    """Write a text file, UTF-8, whole or not at all.

    Raises:
        ToileError: when it cannot be written.
    """
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def check_writable(folder: Path) -> None:
    """Make a folder and see that files can be written there, before any work is done for them.

    Raises:
        ToileError: when they cannot.
    """
    probe = folder / f".toile.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> ToileError:
    return ToileError(f"{path} cannot be written ({error.strerror or error}); choose another output")
