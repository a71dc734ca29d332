"""Folders and files that appear whole or not at all, and survive a power cut: flushed, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def flush_to_disk(path: Path) -> None:
    """Have a file's content, or a folder's list of names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `target` when the block ends without an error."""
    beside = target.with_name(f".{target.name}.unfinished")
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        for path in (*beside.rglob("*"), beside):
            flush_to_disk(path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    if target.exists():
        target.rename(old)
    beside.rename(target)
    flush_to_disk(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def remove_folder(target: Path) -> None:
    """Remove a folder so that no half of it is ever seen under its name."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    shutil.rmtree(old)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left unfinished in `folder`."""
    for pattern in (".*.unfinished", ".*.old"):
        for leftover in folder.glob(pattern):
            shutil.rmtree(leftover, ignore_errors=True)


def write_whole(target: Path, text: str) -> None:
    """Write a text file beside its place, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.unfinished")
    beside.write_text(text, encoding="utf-8")
    flush_to_disk(beside)
    beside.replace(target)
