"""Captions kept beside the pictures: `captions.jsonl`, one line a picture, appended whole."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toile.data import json_lines
from toile.data.json_lines import GrowingLines
from toile.errors import ToileError

FILE = "captions.jsonl"
PHOTO_FOLDERS = ("image", "images", "persons")
"""What datasets call the folder of their photos."""


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """One line of the file."""

    file: str
    """The picture's name relative to the folder, with /."""
    size: int
    """Bytes of the picture's file; a file of another size is captioned anew."""
    model: str
    """The model that wrote the caption, and its prompt if it had one."""
    caption: str
    """What it wrote."""


class CaptionCache:
    """The captions of a folder's pictures by one model; those of others stay in the file.

    A killed run leaves whole lines, and perhaps a torn one, which is cut off when the next run appends.
    """

    def __init__(self, folder: Path, model: str) -> None:
        """Read what is there.

        Raises:
            ToileError: when the file is damaged in its middle.
        """
        self.folder, self.model = folder, model
        self.path = folder / FILE
        self.known = {
            (line.file, line.size): line.caption for line in read_lines(self.path) if line.model == model
        }

    def get(self, picture: Path) -> str | None:
        """The caption of a picture in the folder; None when it has none, or had another size then."""
        return self.known.get(self._key(picture))

    def add(self, picture: Path, caption: str) -> None:
        """Append the caption of a picture.

        Raises:
            ToileError: when it cannot be written.
        """
        file, size = self._key(picture)
        line = Captioned(file=file, size=size, model=self.model, caption=caption)
        self._lines.append(asdict(line), sync=False)
        self.known[file, size] = caption

    @cached_property
    def _lines(self) -> GrowingLines:
        """The file, made with the first caption."""
        return GrowingLines(self.path)

    def _key(self, picture: Path) -> tuple[str, int]:
        return picture.relative_to(self.folder).as_posix(), picture.stat().st_size


def read_captions(folder: Path) -> dict[str, str]:
    """The captions beside a folder's pictures by file name relative to it; of several, the last written.

    Raises:
        ToileError: when the file is damaged in its middle.
    """
    return {line.file: line.caption for line in read_lines(folder / FILE)}


def read_lines(path: Path) -> list[Captioned]:
    """Every whole line of a captions file; none when there is no file.

    Raises:
        ToileError: when a line is damaged.
    """
    if not path.is_file():
        return []
    return [_line(path, number, row) for number, row in enumerate(json_lines.read_lines(path), 1)]


def _line(path: Path, number: int, row: dict[str, Any]) -> Captioned:
    try:
        return Captioned(
            file=str(row["file"]),
            size=int(row["size"]),
            model=str(row["model"]),
            caption=str(row["caption"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ToileError(f"{path}, line {number}, is no caption ({error}); delete that line") from error
