"""Files of JSON lines that grow: each line is on the disk when it counts, and a line cut short is dropped."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from toile.errors import ToileError


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of JSON lines; a last line without its end was never finished, and is left out.

    Raises:
        ToileError: when the file cannot be read, or a finished line is no JSON object.
    """
    try:
        *lines, _ = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ToileError(f"{path} cannot be read ({error.strerror or error}); check the name") from error
    return [_parse(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _parse(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ToileError(f"{path}, line {number}, is no JSON ({error}); remove the line") from error
    if not isinstance(row, dict):
        raise ToileError(f"{path}, line {number}, is no JSON object; remove the line")
    return row


class GrowingLines:
    """A file of JSON lines to append to; it is cut back to its last finished line first.

    Raises:
        ToileError: when the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            cut_unfinished(path)
            self.file: BinaryIO = path.open("ab")
        except OSError as error:
            raise ToileError(f"{path} cannot be written ({error.strerror or error})") from error
        self.path = path

    def append(self, row: Mapping[str, object], *, sync: bool = True) -> None:
        """Append one line; with `sync` it survives a power cut when this returns.

        Raises:
            ToileError: when the disk refuses it.
        """
        try:
            self.file.write(json.dumps(dict(row), ensure_ascii=True).encode() + b"\n")
            self.file.flush()
            if sync:
                os.fsync(self.file.fileno())
        except OSError as error:
            raise ToileError(f"{self.path} cannot be written ({error.strerror or error})") from error

    def __enter__(self) -> "GrowingLines":
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.file.close()


def cut_unfinished(path: Path) -> None:
    """Cut a file back to its last finished line, where a process was stopped while it wrote one."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            file.truncate(end)
