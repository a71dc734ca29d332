"""Lists of any length, opened for random access: CSV, JSON lines, a folder of pictures, or shards."""

import os
from collections.abc import Iterator
from glob import escape, has_magic
from pathlib import Path
from typing import Protocol, runtime_checkable

from toile.catalogue.columns import TaskColumns, columns_of
from toile.catalogue.item import BadItem, Item
from toile.errors import ToileError

JSON_SUFFIXES = (".jsonl", ".ndjson")
"""What JSON lines are called."""


@runtime_checkable
class ItemList(Protocol):
    """A list that is never wholly in memory, and can be sent to another process."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with what the list says and with its task."""
        ...

    def __len__(self) -> int:
        """How many items, bad ones included."""
        ...

    def read(self, start: int, stop: int) -> Iterator[Item | BadItem]:
        """The items from `start` up to, and without, `stop`, in their order.

        Raises:
            ToileError: when the list can no longer be read, or has changed since it was opened.
        """
        ...


def open_list(path: str, task: str, *, masks: Path | None = None) -> ItemList:
    """Open a list: one pass counts its items and checks that their names differ.

    Args:
        path: a .csv or .jsonl file; a folder of pictures; a .tar file, a folder of them, or a pattern such as
            `shards-{000..012}.tar`.
        task: "restore", "takeoff", "tryon", "swap" or "dress".
        masks: for a folder of pictures, the folder of their masks, of the same names.

    Raises:
        ToileError: when there is no such list, it holds nothing or cannot be used for the task, two items
            have one name, or its structure is damaged. A single bad line is no error: it is read as a
            `BadItem`.
    """
    columns = columns_of(task)
    if masks is not None and (not Path(path).is_dir() or _holds_shards(Path(path))):
        raise ToileError(
            f"--masks belongs to a folder of pictures, and {path} is none; write a column {_mask(columns)}"
        )
    opened = _opened(path, columns, masks)
    if not len(opened):
        raise ToileError(f"{path} holds no item; it needs {columns.wanted()}")
    return opened


def _opened(path: str, columns: TaskColumns, masks: Path | None) -> ItemList:
    from toile.catalogue.csv_list import CsvList
    from toile.catalogue.folder_list import FolderList
    from toile.catalogue.json_lines import JsonLines

    file = Path(path)
    suffix = file.suffix.lower()
    if file.is_dir():
        if _holds_shards(file):
            return _shards(f"{escape(path)}/*.tar", columns)
        return FolderList(file, columns, masks)
    if suffix == ".tar" or (not file.exists() and (has_magic(path) or "{" in path)):
        return _shards(path, columns)
    if not file.exists():
        raise ToileError(f"the list {path} does not exist; check the name")
    if suffix in JSON_SUFFIXES:
        return JsonLines(file, columns)
    if suffix == ".csv":
        return CsvList(file, columns)
    raise ToileError(
        f"the list {path} is of no known kind; give a .csv or .jsonl file, a folder of pictures, or shards"
    )


def _holds_shards(folder: Path) -> bool:
    """Whether a folder, of any size, has a shard in it."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".tar") for entry in entries)
    except OSError as error:
        raise ToileError(f"{folder} cannot be read ({error.strerror or error}); check the name") from error


def _shards(pattern: str, columns: TaskColumns) -> ItemList:
    from toile.catalogue.shard_list import ShardList
    from toile.data.shards import find_shards

    return ShardList(find_shards(pattern, ""), columns)


def _mask(columns: TaskColumns) -> str:
    return columns.masks[0] if columns.masks else "for what it needs"
