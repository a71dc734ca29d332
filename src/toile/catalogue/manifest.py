"""The manifest of a catalogue: one JSON line an item, and which items need no more work."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from jaxtyping import UInt8

from toile.errors import ToileError
from toile.files import whole_file

MANIFEST = "manifest.jsonl"
OPEN, DONE, FAILED = 0, 1, 2
"""What is known of an item: nothing, that its picture is there, that it cannot be made."""
STATES = {"done": DONE, "failed": FAILED}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one item: a line of the manifest."""

    number: int
    """Position in the list, from 0."""
    name: str
    """Of the item."""
    state: Literal["done", "failed"]
    """Whether its picture is there."""
    seed: int | None = None
    """That it was drawn with."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What else it was drawn with."""
    seconds: float = 0.0
    """That the model spent on it: its share of what its batch took."""
    error: str | None = None
    """Why there is no picture, in one line."""
    output: str | None = None
    """Where the picture lies, seen from the manifest."""
    notes: tuple[str, ...] = ()
    """Remarks on how it was made, one line each."""
    block: int
    """Which items were handed to a worker together with it."""
    items: int
    """How many these were."""
    attempts: int = 1
    """How often it was begun, counting the workers that died."""

    def line(self) -> bytes:
        """The line, with its end."""
        return _line(asdict(self))


class Manifest:
    """The manifest of one output folder; one process at a time appends to it.

    A block's rows are appended together and are on the disk when `record` returns. What a process that was
    killed left of a block is cut off when the manifest is opened, so that the block is drawn as a whole
    again. In memory, an item takes one byte.

    Args:
        path: of the file; made when missing.
        count: how many items the list has.

    Raises:
        ToileError: when it cannot be read or written, or belongs to a longer list.
    """

    def __init__(self, path: Path, count: int) -> None:
        """Take in what is recorded, and open the file to append."""
        self.path = path
        self.states: UInt8[np.ndarray, " items"] = np.zeros(count, np.uint8)
        self.next_block = 0
        self._blocks = bytearray()
        try:
            path.touch()
            with path.open("r+b") as file:
                file.truncate(self._take_in(file))
            self._file: BinaryIO = path.open("ab", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error

    def record(self, rows: Sequence[Row]) -> None:
        """Append the rows of one block; they survive a power cut when this returns.

        Raises:
            ToileError: when the disk refuses them: none of them is recorded then.
            ValueError: when there is a row of one of the items already.
        """
        numbers = [row.number for row in rows]
        if len(set(numbers)) < len(numbers) or self.states[numbers].any():
            raise ValueError(f"one of the items {numbers} is recorded already")
        content, end = b"".join(row.line() for row in rows), os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(content) < len(content):
                raise OSError("no room for all of it")
            os.fsync(self._file.fileno())
        except OSError as error:
            os.truncate(self._file.fileno(), end)
            raise self._unwritable(error) from error
        self._note([asdict(row) for row in rows])

    def knows(self, block: int) -> bool:
        """Whether the rows of a block are recorded."""
        return block < len(self._blocks) and bool(self._blocks[block])

    def count(self, state: int) -> int:
        """How many items are in a state."""
        return int(np.count_nonzero(self.states == state))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take_in(self, file: BinaryIO) -> int:
        """Read what is recorded; returns where the last whole block ends."""
        end = 0
        for group in _blocks_of(file, self.path):
            if len(group) < group[0]["items"]:
                continue
            try:
                self._note(group)
            except (LookupError, TypeError, ValueError) as error:
                raise ToileError(
                    f"{self.path} is damaged, or belongs to another list ({error}); give another output"
                ) from error
            end = group[-1]["end"]
        return end

    def _note(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            self.states[row["number"]] = STATES[row["state"]]
        block = rows[0]["block"]
        self._blocks.extend(bytes(max(0, block + 1 - len(self._blocks))))
        self._blocks[block] = 1
        self.next_block = max(self.next_block, block + 1)

    def _unwritable(self, error: OSError) -> ToileError:
        return ToileError(
            f"{self.path} cannot be written ({error.strerror or error}); make room, and give the same "
            "command again: what is recorded is kept"
        )


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a manifest, one after the other; a last line without its end is left out.

    Raises:
        ToileError: when the file cannot be read, or a finished line is no row.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _parsed(line, number, path)
    except OSError as error:
        raise ToileError(f"{path} cannot be read ({error.strerror or error}); check the name") from error


def forget(path: Path, forgotten: Callable[[dict[str, Any]], bool]) -> int:
    """Take rows out of a manifest, so that their items are done again; the file is replaced as a whole.

    Args:
        path: of the manifest.
        forgotten: says of a row whether it goes.

    Returns:
        How many went.

    Raises:
        ToileError: when the file cannot be read or written.
    """
    count = 0
    with whole_file(path) as beside, path.open("rb") as old, beside.open("wb") as new:
        for group in _blocks_of(old, path):
            if len(group) < group[0]["items"]:
                continue
            kept = [row for row in group if not forgotten(row)]
            count += len(group) - len(kept)
            new.writelines(_line(row | {"items": len(kept)}) for row in kept)
        new.flush()
        os.fsync(new.fileno())
    return count


def _line(row: dict[str, Any]) -> bytes:
    said = {name: value for name, value in row.items() if name != "end"}
    return json.dumps(said, ensure_ascii=True).encode() + b"\n"


def _blocks_of(file: BinaryIO, path: Path) -> Iterator[list[dict[str, Any]]]:
    """The rows of each block, with where their lines end; those of the last one may not all be there."""
    for _, rows in groupby(_with_ends(file, path), key=lambda row: row["block"]):
        yield list(rows)


def _with_ends(file: BinaryIO, path: Path) -> Iterator[dict[str, Any]]:
    end = 0
    for number, line in enumerate(file, 1):
        end += len(line)
        if line.endswith(b"\n"):
            yield _parsed(line, number, path) | {"end": end}


def _parsed(line: bytes, number: int, path: Path) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
        if row["state"] in STATES and row["number"] >= 0 and row["block"] >= 0 and row["items"] > 0:
            return row
        raise ValueError("its values make no sense")
    except (ValueError, LookupError, TypeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ToileError(
            f"{path}, line {number}, is no row of a manifest ({reason}); give another output"
        ) from error
