"""WebDataset shards as a list: one item a sample, found again by where its first header lies."""

import hashlib
import json
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tarfile import TarInfo
from typing import NamedTuple

import numpy as np

from toile.catalogue.columns import TaskColumns
from toile.catalogue.indexed_list import RECORD_LIMIT
from toile.catalogue.item import BadItem, Item, ShardPart
from toile.catalogue.names import NameCheck, safe_name, same_file
from toile.catalogue.rows import AUTO, NONE, filled, row_item
from toile.data.folder import SUFFIXES
from toile.data.tar_members import tar_members
from toile.errors import ToileError

JSON = "json"
PERSON = "person"
"""What the project's own shards call the photo."""
UNNAMED = "picture"
"""The field of a picture whose name has none, as `KEY.jpg`."""


class Sample(NamedTuple):
    """The files of one sample, which lie one after the other in a shard."""

    key: str
    """What their names begin with, folders included."""
    members: list[TarInfo]
    """Their headers."""


class ShardList:
    """The samples of shards, in the shards' order: eight bytes of memory a sample.

    A sample's files are `KEY.FIELD.jpg`, FIELD being a column of the task's lists; where the task takes one
    picture, `KEY.jpg` will do, or `KEY.person.jpg`. `KEY.json` may hold the item's settings; whatever else it
    says is left alone, as shards come with much that others wrote. Nothing else in a shard is read.

    Raises:
        ToileError: when a shard is missing, damaged, cut short or compressed, or a sample is there twice.
    """

    def __init__(self, shards: Sequence[Path], columns: TaskColumns) -> None:
        """Walk over the headers of every shard; no file in it is read."""
        self.shards, self.columns = list(shards), columns
        starts, ends = array("q"), array("q")
        bare, full = NameCheck(), NameCheck()
        hashed = hashlib.sha256(columns.task.encode())
        for shard in self.shards:
            for start, key in _walk(shard, hashed):
                starts.append(start)
                bare.add(_name(shard, key))
                full.add(_name(shard, key, with_shard=True))
            ends.append(len(starts))
        self.starts, self.ends = np.array(starts, np.int64), np.array(ends, np.int64)
        self.stamps = [_stamp(shard) for shard in self.shards]
        self.fingerprint = hashed.hexdigest()[:16]
        self.with_shard = False
        self._check_names(bare, full)

    def __len__(self) -> int:
        """How many samples."""
        return len(self.starts)

    def read(self, start: int, stop: int) -> Iterator[Item | BadItem]:
        """See `ItemList.read`."""
        number, stop = max(start, 0), min(stop, len(self))
        while number < stop:
            shard = int(np.searchsorted(self.ends, number, side="right"))
            end = min(stop, int(self.ends[shard]))
            yield from self._of_shard(shard, number, end)
            number = end

    def _of_shard(self, shard: int, start: int, stop: int) -> Iterator[Item | BadItem]:
        path = self.shards[shard]
        if _stamp(path) != self.stamps[shard]:
            raise ToileError(f"the shard {path} has changed since it was opened; start again")
        samples = _samples(path, int(self.starts[start]))
        for number, sample in zip(range(start, stop), samples, strict=False):
            yield self._item(number, path, sample)

    def _item(self, number: int, shard: Path, sample: Sample) -> Item | BadItem:
        name = _name(shard, sample.key, with_shard=self.with_shard)
        parts = _parts(shard, sample)
        try:
            row = self._settings(parts.get(JSON)) | self._pictures(parts)
            item = row_item(row, number, self.columns, parts.__getitem__)
        except ToileError as error:
            where = f"{shard}, sample {sample.key!r}: "
            return BadItem(number=number, name=name, error=where + " ".join(str(error).split()))
        return replace(item, name=name)

    def _pictures(self, parts: Mapping[str, ShardPart]) -> dict[str, str]:
        """The fields of a sample that are pictures of the task; each part is called as its field is."""
        wanted = {field: field for field in parts if field != JSON and self._is_picture(field)}
        single = self.columns.pictures[0] if len(self.columns.pictures) == 1 else None
        if single is not None and single not in wanted:
            others = [other for other in (PERSON, UNNAMED) if other in parts]
            wanted |= dict.fromkeys([single], others[0]) if others else {}
        return wanted

    def _is_picture(self, field: str) -> bool:
        return (
            field in (*self.columns.pictures, *self.columns.masks) or self.columns.garment(field) is not None
        )

    def _settings(self, part: ShardPart | None) -> dict[str, object]:
        """What a sample's JSON says of the task's settings."""
        if part is None:
            return {}
        if part.length > RECORD_LIMIT:
            raise ToileError(f"{part.member} has {part.length:,} bytes, more than {RECORD_LIMIT:,}")
        try:
            row = json.loads(part.read())
        except (ValueError, RecursionError) as error:
            raise ToileError(f"{part.member} is no JSON ({error}); write the shard again") from error
        if not isinstance(row, dict):
            raise ToileError(f"{part.member} is no JSON object; write the shard again")
        words = {field: row[field] for field in self.columns.masks if row.get(field) in (AUTO, NONE)}
        return words | {field: row[field] for field in filled(row) if field in self.columns.every_setting}

    def _check_names(self, bare: NameCheck, full: NameCheck) -> None:
        """See whether two shards have a key in common, so that the shards' names are needed as well.

        Raises:
            ToileError: when those do not help either.
        """
        self.with_shard = any(self._alike(*pair) for pair in bare.suspects().tolist())
        if not self.with_shard:
            return
        for first, second in full.suspects().tolist():
            if self._alike(first, second):
                one, other = (" of ".join(map(str, self._key(number))) for number in (first, second))
                raise ToileError(
                    f"the samples {one} and {other} would be written to one file; give each its own key, "
                    "and keep the files of a sample together"
                )

    def _alike(self, first: int, second: int) -> bool:
        keys = [self._key(number) for number in (first, second)]
        names = [same_file(_name(shard, key, with_shard=self.with_shard)) for key, shard in keys]
        return names[0] == names[1]

    def _key(self, number: int) -> tuple[str, Path]:
        shard = int(np.searchsorted(self.ends, number, side="right"))
        path = self.shards[shard]
        return next(_samples(path, int(self.starts[number]))).key, path


def _walk(shard: Path, hashed: "hashlib._Hash") -> Iterator[tuple[int, str]]:
    """The first byte and the key of each sample; what tells the shard from others goes into the hash."""
    for sample in _samples(shard):
        for member in sample.members:
            hashed.update(f"{member.name!r} {member.offset_data} {member.size}\n".encode())
        yield sample.members[0].offset, sample.key


def _samples(shard: Path, start: int = 0) -> Iterator[Sample]:
    """The samples of a shard, from the one on whose first header lies at `start`."""
    for key, members in groupby(tar_members(shard, start), key=lambda member: _split(member.name)[0]):
        yield Sample(key, list(members))


def _split(name: str) -> tuple[str, str]:
    """`a/0001.person.jpg` is `person.jpg` of the sample `a/0001`: WebDataset's keys end at the first dot."""
    folder, _, file = name.rpartition("/")
    stem, _, rest = file.partition(".")
    return f"{folder}/{stem}" if folder else stem, rest


def _parts(shard: Path, sample: Sample) -> dict[str, ShardPart]:
    """The pictures of a sample by field; its settings by "json"."""
    parts = {}
    for member in sample.members:
        field, _, suffix = _split(member.name)[1].rpartition(".")
        if f".{suffix.lower()}" not in SUFFIXES:
            if (field, suffix) != ("", JSON):
                continue
            field = JSON
        parts[field or UNNAMED] = ShardPart(
            shard=shard, member=member.name, start=member.offset_data, length=member.size
        )
    return parts


def _name(shard: Path, key: str, *, with_shard: bool = False) -> str:
    return safe_name(f"{shard.stem}-{key}" if with_shard else key)


def _stamp(shard: Path) -> tuple[int, int]:
    """What a file's change shows in: its size and its time."""
    try:
        found = os.stat(shard)
    except OSError as error:
        raise ToileError(f"the shard {shard} cannot be read ({error.strerror or error})") from error
    return found.st_size, found.st_mtime_ns
