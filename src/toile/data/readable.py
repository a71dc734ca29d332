"""Pairs that are sure to be readable: a broken one gives its place to the next that is whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import Float32
from PIL import Image

from toile.data.faults import FaultLog
from toile.data.fingerprint import fingerprint
from toile.data.pair_sequence import PairSequence
from toile.data.pose import Pose
from toile.data.record import GarmentPair, Pictures, points_of
from toile.errors import ToileError

T = TypeVar("T")
Broken = Literal["skip", "stop"]
"""What a broken pair does: gives its place to another, or ends the run."""
PATIENCE = 1000
"""So many broken pairs in a row are no accident: reading stops."""


@dataclass(frozen=True, kw_only=True)
class LoadedPictures:
    """The four pictures of a pair, decoded."""

    photo: Image.Image
    """The person, RGB."""
    flat: Image.Image
    """The flat garment, RGB."""
    agnostic: Image.Image
    """The agnostic mask."""
    outline: Image.Image
    """The flat garment's silhouette."""
    origin: Pictures
    """Where they came from; gives the parse map and the pose when they are asked for."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.photo

    def garment(self) -> Image.Image:
        """The flat garment, RGB."""
        return self.flat

    def mask(self) -> Image.Image:
        """The agnostic mask, 0 or 255."""
        return self.agnostic

    def silhouette(self) -> Image.Image:
        """The silhouette, 0 or 255."""
        return self.outline

    def parse(self) -> Image.Image | None:
        """The parse map, read now."""
        return self.origin.parse()

    def pose(self) -> Pose | None:
        """The pose, read now."""
        return self.origin.pose()

    def points(self) -> Float32[np.ndarray, "H W 2"] | None:
        """The exact warp, where the origin knows it."""
        return points_of(self.origin)


def loaded(pair: GarmentPair) -> GarmentPair:
    """The same pair with its four pictures decoded, so that reading them again cannot fail.

    Raises:
        ToileError: when one cannot be read.
    """
    pictures = pair.pictures
    if isinstance(pictures, LoadedPictures):
        return pair
    return replace(
        pair,
        pictures=LoadedPictures(
            photo=pictures.person(),
            flat=pictures.garment(),
            agnostic=pictures.mask(),
            outline=pictures.silhouette(),
            origin=pictures,
        ),
    )


def first_readable(
    count: int,
    index: int,
    read: Callable[[int], T | None],
    note: Callable[[int, ToileError], None] | None,
) -> T:
    """The first item that can be read, from a place on; after the last one comes the first.

    Args:
        count: how many items there are.
        index: the place.
        read: reads the item of a place; None passes it over without a word.
        note: keeps that an item cannot be read; without it, that ends the run.

    Raises:
        ToileError: when an item is broken and there is no `note`, or when nothing nearby can be read.
    """
    first: ToileError | None = None
    for step in range(min(count, PATIENCE)):
        place = (index + step) % count
        try:
            item = read(place)
        except ToileError as error:
            if note is None:
                raise
            first = first or error
            note(place, error)
            continue
        if item is not None:
            return item
    raise ToileError(
        f"none of {min(count, PATIENCE)} pairs in a row can be read"
        f"{f', the first because {first}' if first else ' or used'}; "
        "`toile data check` says what is wrong with the dataset"
    )


class ReadablePairs(PairSequence):
    """Pairs with their pictures decoded.

    The place of a broken pair is taken by the next one that can be read: a function of the dataset alone, so
    that every process, every epoch and every resumed run put the same pair there.
    """

    def __init__(self, pairs: Sequence[GarmentPair], faults: FaultLog, *, broken: Broken = "skip") -> None:
        """Wrap `pairs`; `faults` keeps what was skipped, and with `broken` as "stop" nothing is."""
        self.pairs, self.faults, self.broken = pairs, faults, broken

    def __len__(self) -> int:
        """How many, broken ones included."""
        return len(self.pairs)

    def fingerprint(self) -> str:
        """What tells these pairs from others; looked for once, as it asks every file for its size."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(self.pairs)

    def pair(self, index: int) -> GarmentPair:
        """The pair of a place, decoded.

        Raises:
            ToileError: when it is broken and that is to stop the run, or when nothing nearby can be read.
        """
        return first_readable(
            len(self.pairs), index, self._read, None if self.broken == "stop" else self._note
        )

    def _read(self, place: int) -> GarmentPair:
        return loaded(self.pairs[place])

    def _note(self, place: int, error: ToileError) -> None:
        try:
            pair = self.pairs[place]
            self.faults.note(pair.source, pair.identifier, error)
        except ToileError:  # not even its name can be read
            self.faults.note("", f"pair {place}", error)
