"""WebDataset shards as pairs: tar files for datasets with more files than a disk likes to hold.

They are read at random through an index of each shard (see `shard_index`), not as a stream: so the order of
training, its resume and its skipping of broken pairs are the same as with files. Any WebDataset reader can
stream them too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from toile.data.dataset_folder import DatasetFolder
from toile.data.fingerprint import digest
from toile.data.pair_sequence import PairSequence
from toile.data.picture_files import as_parse_map, silhouette_of
from toile.data.pose import Pose
from toile.data.record import CATEGORIES, GarmentPair
from toile.data.shard_index import FIELDS, shard_index
from toile.decoding import decode, picture_size
from toile.errors import ToileError
from toile.images import as_photo, binary

SHARD_LIMIT = 100_000
"""A pattern may stand for so many shards."""
JSON_LIMIT = 2**20
TEXTS = ("identifier", "category", "caption", "garment_caption", "source", "garment_identifier")
BRACES = re.compile(r"(.*)\{(\d{1,9})\.\.(\d{1,9})\}(.*)", re.DOTALL)
Place = tuple[int, int]
"""First byte and length."""


def find_shards(pattern: str, split: str) -> list[Path]:
    """The shards that a text names, sorted.

    Args:
        pattern: a folder (its `SPLIT-*.tar`, or if there are none, all of its `*.tar`), a pattern with * and
            ?, or one with braces as `a-{000..012}.tar`.
        split: "train" or "test".

    Raises:
        ToileError: when there are none, one is missing, or a link leads out of its folder.
    """
    if Path(pattern).is_dir():
        folder = Path(pattern)
        found = sorted(folder.glob(f"{split}-*.tar")) or sorted(folder.glob("*.tar"))
    elif braces := BRACES.fullmatch(pattern):
        found = _expanded(pattern, *braces.groups())
    else:
        found = [Path(name) for name in sorted(glob(pattern))] if has_magic(pattern) else [Path(pattern)]
    missing = next((path for path in found if not path.is_file()), None)
    if missing is not None or not found:
        what = f"{missing} is missing" if missing else "nothing is there"
        raise ToileError(
            f"shards {pattern!r}: {what}; name a folder of .tar files, or a pattern as a-{{000..012}}.tar"
        )
    for path in found:
        DatasetFolder(path.parent).file(path.name, f"shards {pattern!r}")
    return found


def _expanded(pattern: str, before: str, first: str, last: str, after: str) -> list[Path]:
    count = int(last) - int(first) + 1
    if not 0 < count <= SHARD_LIMIT:
        raise ToileError(
            f"shards {pattern!r}: the braces stand for {count:,} files; write {{FIRST..LAST}}, "
            f"for 1 to {SHARD_LIMIT:,} of them"
        )
    return [Path(f"{before}{int(first) + step:0{len(first)}d}{after}") for step in range(count)]


class ShardPairs(PairSequence):
    """The pairs of shards, in the shards' order."""

    def __init__(self, shards: Sequence[Path]) -> None:
        """Read each shard's index, or make it; no pair is read yet.

        Raises:
            ToileError: when a shard is missing, damaged, or holds what no shard may (see `shard_index`).
        """
        self.shards = list(shards)
        self.indices = [shard_index(path) for path in self.shards]
        self.ends = np.cumsum([len(index) for index in self.indices])

    def __len__(self) -> int:
        """How many pairs."""
        return int(self.ends[-1])

    def pair(self, index: int) -> GarmentPair:
        """One pair: its texts are read now, its pictures when they are asked for.

        Raises:
            ToileError: when its texts are damaged.
        """
        shard = int(np.searchsorted(self.ends, index, side="right"))
        row = self.indices[shard][index - int(self.ends[shard])]
        places = {
            name: (int(start), int(length))
            for name, (start, length) in zip(FIELDS, row.tolist(), strict=True)
            if start >= 0
        }
        return _pair(self.shards[shard], places)

    def fingerprint(self) -> str:
        """What tells these shards from others: their names, and every place in them."""
        return digest(
            [path.name, index.shape, index.tobytes()]
            for path, index in zip(self.shards, self.indices, strict=True)
        )


def _pair(shard: Path, places: dict[str, Place]) -> GarmentPair:
    where = f"{shard}, byte {places['json'][0]}"
    try:
        if places["json"][1] > JSON_LIMIT:
            raise ValueError(f"{places['json'][1]:,} bytes are too many")
        row = json.loads(_read(shard, places["json"]))
        texts = {name: row.get(name, "") for name in TEXTS}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("a text is none")
        if texts["category"] not in CATEGORIES:
            raise ValueError(f"the category is {texts['category']!r}")
        reasons, pose = row.get("reasons"), row.get("pose")
        pictures = ShardPictures(shard=shard, places=places, pose_rows=None if pose is None else _rows(pose))
        details: dict[str, Any] = {
            "reasons": None if reasons is None else frozenset(str(reason) for reason in reasons),
            "hardness": {str(name): float(value) for name, value in row.get("hardness", {}).items()},
        }
        has_mask, paired = "mask" in places, bool(row.get("paired", True))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ToileError(
            f"{where}: the texts of a pair are damaged ({error}); write the shard again"
        ) from error
    return GarmentPair(**texts, **details, pictures=pictures, has_mask=has_mask, paired=paired)


def _rows(pose: object) -> tuple[tuple[float, float, float], ...]:
    rows = np.asarray(pose, np.float64)
    if rows.shape != (18, 3) or not np.isfinite(rows).all():
        raise ValueError(f"a pose of shape {rows.shape}")
    return tuple((float(x), float(y), float(score)) for x, y, score in rows)


def _read(shard: Path, place: Place) -> bytes:
    """Some bytes of a shard.

    Raises:
        ToileError: when they are not all there.
    """
    start, length = place
    try:
        with shard.open("rb") as file:
            file.seek(start)
            content = file.read(length)
    except OSError as error:
        raise ToileError(f"the shard {shard} cannot be read ({error.strerror or error})") from error
    if len(content) < length:
        raise ToileError(f"the shard {shard} is cut short; copy or write it again")
    return content


@dataclass(frozen=True, kw_only=True)
class ShardPictures:
    """The pictures of a pair within a shard."""

    shard: Path
    """The tar file."""
    places: Mapping[str, Place]
    """First byte and length of each file, by field."""
    pose_rows: tuple[tuple[float, float, float], ...] | None = None
    """The joints, or None."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return as_photo(self._decoded("person"))

    def garment(self) -> Image.Image:
        """The flat garment, RGB."""
        return as_photo(self._decoded("garment"))

    def mask(self) -> Image.Image:
        """The agnostic mask, or white everywhere when the shard has none."""
        if "mask" in self.places:
            return binary(as_photo(self._decoded("mask")).convert("L"))
        return Image.new("L", self._photo_size(), 255)

    def silhouette(self) -> Image.Image:
        """The silhouette, or else what the garment's colours say."""
        if "silhouette" in self.places:
            return binary(as_photo(self._decoded("silhouette")).convert("L"))
        return silhouette_of(self.garment())

    def parse(self) -> Image.Image | None:
        """The parse map, LIP's labels."""
        if "parse" not in self.places:
            return None
        try:
            return as_parse_map(self._decoded("parse"), "lip", self._photo_size())
        except ToileError as error:
            raise ToileError(f"{self._name('parse')}: {error}") from error

    def pose(self) -> Pose | None:
        """The joints."""
        return None if self.pose_rows is None else Pose(keypoints=np.array(self.pose_rows, np.float32))

    def _decoded(self, field: str) -> Image.Image:
        return decode(_read(self.shard, self.places[field]), self._name(field))

    def _photo_size(self) -> tuple[int, int]:
        return picture_size(_read(self.shard, self.places["person"]), self._name("person"))

    def _name(self, field: str) -> str:
        return f"the {field} at byte {self.places[field][0]} of {self.shard}"
