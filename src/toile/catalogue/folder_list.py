"""A folder of pictures as a list: one item a picture, with masks of the same names if there are any."""

import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from toile.catalogue.columns import TaskColumns
from toile.catalogue.item import BadItem, Item, Source
from toile.catalogue.names import NameCheck, safe_name, same_file
from toile.data.folder import SUFFIXES
from toile.errors import ToileError
from toile.mask_names import mask_names

MASKS = "masks"
"""The folder of masks within a folder of pictures."""
AT_ONCE = 50_000
"""So many names are looked at together."""


class FolderList:
    """A folder's pictures, sorted by the bytes of their names, which are all that is kept in memory.

    Raises:
        ToileError: when the task needs more than one picture an item, the folder cannot be read or has no
            pictures, or two of them are called alike but for their suffix.
    """

    def __init__(self, folder: Path, columns: TaskColumns, masks: Path | None = None) -> None:
        """Look at the folder's names; no picture is read.

        Args:
            folder: of the pictures.
            columns: what the task takes.
            masks: a folder where each picture has its mask; None takes the masks in `folder/masks`, for as
                many pictures as have one.
        """
        if len(columns.pictures) != 1:
            raise ToileError(
                f"{folder} is a folder of pictures, which does not say what belongs together for "
                f"{columns.task}; write a CSV with {columns.wanted()}"
            )
        if masks is not None and not (masks.is_dir() and columns.masks):
            what = "is no folder" if columns.masks else f"is of no use: {columns.task} takes no masks"
            raise ToileError(f"--masks {masks} {what}; leave it out, or give a folder of masks")
        self.folder, self.columns, self.needed_masks = folder, columns, masks
        self.masks = masks or _own_masks(folder, columns)
        self.files = _sorted_pictures(folder)
        if not len(self.files):
            raise ToileError(f"{folder} holds no picture; their names end in {', '.join(SUFFIXES)}")
        self.fingerprint = self._fingerprint()
        self._check_names()

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.files)

    def read(self, start: int, stop: int) -> Iterator[Item | BadItem]:
        """See `ItemList.read`."""
        for number in range(max(start, 0), min(stop, len(self))):
            file = self._file(number)
            files: dict[str, Source] = {self.columns.pictures[0]: self.folder / file}
            mask = self._mask(file)
            if mask is not None:
                files[self.columns.masks[0]] = mask
            yield Item(number=number, name=_name(file), files=files)

    def _file(self, number: int) -> str:
        return os.fsdecode(bytes(self.files[number]))

    def _mask(self, file: str) -> Path | None:
        """The mask of a picture: of its name, whatever its suffix, or as `toile mask` calls it."""
        if self.masks is None:
            return None
        stem = Path(file).stem
        stems, suffixes = mask_names(stem), (".png", *SUFFIXES)
        names = (file, *(f"{name}{suffix}" for name in stems for suffix in suffixes))
        found = next((self.masks / name for name in names if (self.masks / name).is_file()), None)
        return found or (self.masks / f"{stem}.png" if self.needed_masks is not None else None)

    def _fingerprint(self) -> str:
        masks = None if self.masks is None else self.masks.resolve()
        hashed = hashlib.sha256(f"{self.columns.task} {masks}".encode())
        for name in self.files:
            hashed.update(bytes(name) + b"\0")
        return hashed.hexdigest()[:16]

    def _check_names(self) -> None:
        names = NameCheck()
        for number in range(len(self)):
            names.add(_name(self._file(number)))
        for first, second in names.suspects().tolist():
            pair = self._file(first), self._file(second)
            if same_file(_name(pair[0])) == same_file(_name(pair[1])):
                raise ToileError(
                    f"{self.folder} has both {pair[0]} and {pair[1]}, which would be written to one file; "
                    "rename one of the two"
                )


def _name(file: str) -> str:
    return safe_name(Path(file).stem)


def _own_masks(folder: Path, columns: TaskColumns) -> Path | None:
    return folder / MASKS if columns.masks and (folder / MASKS).is_dir() else None


def _sorted_pictures(folder: Path) -> np.ndarray:
    """The names of a folder's pictures, as an array of bytes as wide as the longest."""
    try:
        with os.scandir(folder) as entries:
            names = (os.fsencode(entry.name) for entry in entries if _is_picture(entry))
            parts = list(_arrays(names))
    except OSError as error:
        raise ToileError(f"{folder} cannot be read ({error.strerror or error}); check the name") from error
    return np.sort(np.concatenate(parts)) if parts else np.empty(0, "S1")


def _arrays(names: Iterator[bytes]) -> Iterator[np.ndarray]:
    """Names as arrays, `AT_ONCE` at a time."""
    while part := list(islice(names, AT_ONCE)):
        yield np.array(part, np.bytes_)


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is called as pictures are; a link that leads nowhere is one that cannot be read."""
    return (
        not entry.name.startswith(".")
        and os.path.splitext(entry.name)[1].lower() in SUFFIXES
        and not entry.is_dir()
    )
