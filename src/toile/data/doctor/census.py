"""What only the whole set shows: its usual size, photos that look like garments, duplicates and leaks."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from toile.data.doctor.duplicates import look_alikes, same_bytes
from toile.data.doctor.findings import Finding
from toile.data.doctor.item import PictureFacts
from toile.data.doctor.layout import Role

USUAL = 0.6
"""Ours: a size or a shape that this share of a set has is its usual one; below it, the set has none."""
LYING = 1.1
"""Ours: a picture is wider than high from this proportion on."""
ENOUGH = 5
"""Ours: with fewer pictures nothing is usual."""

SPLITS = ("train", "test", None)
"""What a picture may be for; None for neither, in layouts without splits."""
SplitsOf = Callable[[str], frozenset[str]]
"""Says in which of "train" and "test" a picture is, by its name."""


class Census:
    """Counts the pictures of a set as they are examined; about 550 bytes for each are kept."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.known: set[str] = set()
        self.names: list[str] = []
        self.identifiers: list[str] = []
        self.roles: list[Role] = []
        self.sizes = array("i")
        self.white_sides = bytearray()
        self.digests: list[bytes] = []
        self.hashes = array("Q")
        self.thumbnails = bytearray()

    def add(self, facts: PictureFacts) -> None:
        """Count a picture; once, though several rows of a list may name it."""
        if facts.name in self.known:
            return
        self.known.add(facts.name)
        self.names.append(facts.name)
        self.identifiers.append(facts.identifier)
        self.roles.append(facts.role)
        self.sizes.extend(facts.size)
        self.white_sides.append(facts.white_sides)
        self.digests.append(facts.digest)
        self.hashes.append(facts.perceptual)
        self.thumbnails += facts.thumbnail

    def findings(self, splits_of: SplitsOf) -> Iterator[Finding]:
        """All that the set as a whole shows."""
        for role in dict.fromkeys(self.roles):
            members = [index for index, own in enumerate(self.roles) if own == role]
            yield from self._sizes(members)
            if role == "person":
                yield from self._flat(members)
        yield from self._twins(splits_of)

    def _size(self, index: int) -> tuple[int, int]:
        return self.sizes[2 * index], self.sizes[2 * index + 1]

    def _sizes(self, members: list[int]) -> Iterator[Finding]:
        """Pictures of another size or lie than most of their role."""
        if len(members) < ENOUGH:
            return
        (usual, count), *_ = Counter(map(self._size, members)).most_common(1)
        upright = sum(height >= width for width, height in map(self._size, members))
        for index in members:
            width, height = self._size(index)
            if width > LYING * height and upright > USUAL * len(members):
                detail = f"{width}×{height}, while {upright} of {len(members)} are upright"
                yield self._finding("picture-landscape", index, detail)
            elif (width, height) != usual and count >= USUAL * len(members):
                yield self._finding(
                    "size-differs", index, f"{width}×{height} instead of {usual[0]}×{usual[1]}"
                )

    def _flat(self, photos: list[int]) -> Iterator[Finding]:
        """Photos that are white all around, where nearly no other is."""
        flat = [index for index in photos if self.white_sides[index] == 4]
        if len(photos) >= ENOUGH and len(flat) <= max(1, len(photos) // 50):
            for index in flat:
                yield self._finding("looks-flat", index, "it is white all around, unlike the other photos")

    def _twins(self, splits_of: SplitsOf) -> Iterator[Finding]:
        """Copies and look-alikes, among photos and among garments; a copy of both kinds is mixed up."""
        searched = set(range(len(self.names)))
        for group in same_bytes(self.digests):
            yield from self._mixed_up(group)
            for role in dict.fromkeys(self.roles[index] for index in group):
                twins = [index for index in group if self.roles[index] == role]
                yield from self._group(twins, splits_of, exact=True)
            searched -= set(group) - {self._first(group, splits_of, split) for split in SPLITS}
        for role in dict.fromkeys(self.roles):
            chosen = np.asarray([index for index in sorted(searched) if self.roles[index] == role], np.int64)
            hashes = np.frombuffer(self.hashes, np.uint64)[chosen]
            thumbnails = np.frombuffer(self.thumbnails, np.uint8).reshape(len(self.names), -1)[chosen]
            for alike in look_alikes(hashes, thumbnails):
                group = [int(chosen[index]) for index in alike]
                if len({self.digests[index] for index in group}) > 1:
                    yield from self._group(group, splits_of, exact=False)

    def _mixed_up(self, group: list[int]) -> Iterator[Finding]:
        """One picture that serves as a photo and as a garment."""
        photo = next((index for index in group if self.roles[index] == "person"), None)
        for index in group:
            if photo is not None and self.roles[index] == "garment":
                detail = "one picture is both a person and a garment"
                yield self._finding("mixed-up", index, detail, beside=photo)

    def _first(self, group: list[int], splits_of: SplitsOf, split: str | None) -> int:
        """The first picture of a group that is in a split alone; else the first of all."""
        wanted = frozenset({split} if split else ())
        return next((index for index in group if splits_of(self.names[index]) == wanted), group[0])

    def _group(self, group: list[int], splits_of: SplitsOf, *, exact: bool) -> Iterator[Finding]:
        """Pictures of one role that are the same: training pictures that are tested on, or mere copies."""
        splits = {index: splits_of(self.names[index]) for index in group}
        tested = next((index for index in group if splits[index] == {"test"}), None)
        leaking = [index for index in group if splits[index] == {"train"}] if tested is not None else []
        for index in leaking:
            yield self._finding("leak" if exact else "near-leak", index, "", beside=tested)
        first, *others = [index for index in group if index not in leaking]
        for index in others:
            yield self._finding("duplicate" if exact else "near-duplicate", index, "", beside=first)

    def _finding(self, code: str, index: int, detail: str, beside: int | None = None) -> Finding:
        return Finding(
            code=code,
            file=self.names[index],
            detail=detail,
            beside=() if beside is None else (self.names[beside],),
            identifier=self.identifiers[index],
        )
