"""A list in a text file, read at random through an index of where each item's line begins."""

import hashlib
import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from toile.catalogue.columns import NAME, TaskColumns
from toile.catalogue.item import BadItem, Item
from toile.catalogue.names import NameCheck, numbered_name, same_file
from toile.catalogue.rows import LocalFiles, Row, row_item, row_name
from toile.errors import ToileError

RECORD_LIMIT = 100_000
"""Bytes of one line, or of what a quote holds together."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Record(NamedTuple):
    """One item's text in the file."""

    offset: int
    """Its first byte."""
    line: int
    """The line that it begins on, from 1."""
    row: Row | None
    """Its values; None when they are not to be had."""
    error: str = ""
    """Why not, and what to do."""


class IndexedList(ABC):
    """A list of which only the places are kept: sixteen bytes an item.

    Raises:
        ToileError: when the file cannot be read, its structure is damaged, or two items have one name.
    """

    def __init__(self, path: Path, columns: TaskColumns) -> None:
        """Read the file once, from its begin to its end.

        Args:
            path: of the list; files are found relative to its folder.
            columns: what its lines may say.
        """
        self.path, self.columns = path, columns
        self.find = LocalFiles(path.parent)
        with self._file() as file:
            self.stamp = _stamp(file)
            content = hashlib.file_digest(file, "sha256").hexdigest()
            self.begin = self._start(file)
            names = self._index(file)
        self.fingerprint = hashlib.sha256(f"{columns.task} {content}".encode()).hexdigest()[:16]
        self._check_names(names)

    def __len__(self) -> int:
        """How many items, bad ones included."""
        return len(self.offsets)

    def read(self, start: int, stop: int) -> Iterator[Item | BadItem]:
        """See `ItemList.read`."""
        for number, record in enumerate(self._numbered(start, stop), start):
            yield self._item(number, record)

    @abstractmethod
    def _start(self, file: BufferedReader) -> tuple[int, int]:
        """Read what stands before the items; returns the first byte and the line after it."""

    @abstractmethod
    def _records(self, file: BufferedReader, offset: int, line: int) -> Iterator[Record]:
        """The records from a place on, without those that say nothing."""

    def _index(self, file: BufferedReader) -> NameCheck:
        """Note where every record begins; the names are given back to be compared."""
        offsets, lines, names = array("q"), array("q"), NameCheck()
        for number, record in enumerate(self._records(file, *self.begin)):
            offsets.append(record.offset)
            lines.append(record.line)
            names.add(self._name(number, record))
        self.offsets = np.array(offsets, np.int64)
        self.lines = np.array(lines, np.int64)
        return names

    def _check_names(self, names: NameCheck) -> None:
        for first, second in names.suspects().tolist():
            pair = [self._name(number, self._record(number)) for number in (first, second)]
            if same_file(pair[0]) == same_file(pair[1]):
                lines = f"{self.lines[first]} and {self.lines[second]}"
                alike = repr(pair[0]) if pair[0] == pair[1] else f"{pair[0]!r} and {pair[1]!r}"
                raise ToileError(
                    f"{self.path}, lines {lines}, would both be written to one file, as their names are "
                    f"{alike}; give each a name of its own in the column {NAME}"
                )

    def _record(self, number: int) -> Record:
        return next(iter(self._numbered(number, number + 1)))

    def _numbered(self, start: int, stop: int) -> Iterator[Record]:
        start, stop = max(start, 0), min(stop, len(self))
        if start >= stop:
            return
        with self._file() as file:
            if _stamp(file) != self.stamp:
                raise ToileError(f"the list {self.path} has changed since it was opened; start again")
            yield from islice(
                self._records(file, int(self.offsets[start]), int(self.lines[start])), stop - start
            )

    def _file(self) -> BufferedReader:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise ToileError(f"the list {self.path} cannot be read ({error.strerror or error})") from error

    def _name(self, number: int, record: Record) -> str:
        return numbered_name(number) if record.row is None else row_name(record.row, number, self.columns)

    def _item(self, number: int, record: Record) -> Item | BadItem:
        error = record.error
        if record.row is not None:
            try:
                return row_item(record.row, number, self.columns, self.find)
            except ToileError as problem:
                error = str(problem)
        where = f"{self.path}, line {record.line}: "
        return BadItem(number=number, name=self._name(number, record), error=where + " ".join(error.split()))


def skip_mark(file: BufferedReader) -> int:
    """Put a file behind its byte order mark, if it has one; returns the place."""
    file.seek(0)
    start = len(BYTE_ORDER_MARK) if file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK else 0
    file.seek(start)
    return start


def _stamp(file: BufferedReader) -> tuple[int, int]:
    """What a file's change shows in: its size and its time."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns
