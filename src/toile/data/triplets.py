"""Triplets, as AnyDressing trains on: a photo, its caption, and the garments worn in it.

One garment is an in-shop picture, the others are cut from the photo by its parse map (arXiv 2412.04146,
supplement, 7.2; with hats, 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, overload, runtime_checkable

import numpy as np
from PIL import Image

from toile.data.automatic_mask import ParsesPhotos
from toile.data.cutouts import LEAST_SHARE, CutOut, cut_out, garment_region
from toile.data.record import GarmentPair
from toile.errors import ToileError

Reason = Literal["unpaired", "no parse map", "garment not found", "no counterpart", "no hat", "unreadable"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a pair makes no triplet."""
Hats = Literal["any", "only", "none"]
"""Hats are cut out where there are any, only photos with one are taken, or hats are left alone."""
COUNTERPARTS: Mapping[str, tuple[str, ...]] = {"upper": ("lower",), "lower": ("upper",), "dress": ()}
"""What completes an outfit beside each category; a hat goes with all of them."""


@runtime_checkable
class TripletPictures(Protocol):
    """Where the pictures of a triplet come from; each is read when it is asked for."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        ...

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB."""
        ...

    def worn(self, kind: str) -> Image.Image:
        """Where it is worn in the photo, "L", 0 or 255."""
        ...


@dataclass(frozen=True, kw_only=True)
class TripletGarment:
    """What is known about a garment of a triplet."""

    kind: str
    """`upper`, `lower`, `dress`, `hat`, or any other name."""
    cut_out: bool
    """Whether it was cut from the photo; otherwise it is an in-shop picture."""
    caption: str = ""
    """Describes the garment alone, or is empty when nothing is known."""
    truncated: bool = False
    """Whether the photo's edge cuts it off; known of cut-outs."""


@dataclass(frozen=True, kw_only=True)
class Triplet:
    """A photo and the garments worn in it. Pictures are read lazily, and again each time they are asked for.

    Raises:
        ToileError: when there are fewer than two garments, or two of one kind.
    """

    identifier: str
    """Names the triplet within its source."""
    source: str
    """Where it comes from, for messages and reports."""
    caption: str
    """Describes the photo, or is empty when nothing is known."""
    garments: tuple[TripletGarment, ...]
    """What is worn; the in-shop garment comes first."""
    pictures: TripletPictures = field(repr=False)
    """Reads the pictures."""

    def __post_init__(self) -> None:
        """Refuse what is no outfit."""
        if len(self.garments) < 2 or len(set(self.kinds)) < len(self.garments):
            raise ToileError(
                f"{self.source}: the triplet {self.identifier!r} has the garments "
                f"{', '.join(self.kinds) or 'none'}; it needs two or more, each of another kind"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its garments, in order."""
        return tuple(garment.kind for garment in self.garments)

    @property
    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.pictures.person()

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB.

        Raises:
            ToileError: when none of that kind is worn.
        """
        self._check(kind)
        return self.pictures.garment(kind)

    def worn(self, kind: str) -> Image.Image:
        """Where a garment is worn: "L", of the photo's size, 255 there, 0 elsewhere.

        Raises:
            ToileError: when none of that kind is worn.
        """
        self._check(kind)
        return self.pictures.worn(kind)

    def _check(self, kind: str) -> None:
        if kind not in self.kinds:
            raise ToileError(
                f"{self.source}: the triplet {self.identifier!r} has no garment of the kind {kind!r}; "
                f"it has {', '.join(self.kinds)}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class CutPictures:
    """The pictures of a triplet that was made from a pair."""

    pair: GarmentPair
    """Gives the photo and the in-shop garment."""
    region: Image.Image
    """Where the in-shop garment is worn."""
    cut: Mapping[str, CutOut]
    """The other garments."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.pair.person

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB."""
        return self.pair.garment if kind == self.pair.category else self.cut[kind].picture

    def worn(self, kind: str) -> Image.Image:
        """Where it is worn, "L", 0 or 255."""
        return self.region if kind == self.pair.category else self.cut[kind].worn


def triplet_of(
    pair: GarmentPair, *, parser: ParsesPhotos | None = None, hats: Hats = "any"
) -> Triplet | Reason:
    """Make a triplet from a pair: its in-shop garment, and the others cut from the photo.

    Args:
        pair: a person who wears the garment.
        parser: parses the photo where the pair brings no parse map.
        hats: what becomes of hats.

    Returns:
        The triplet, or why the pair makes none.

    Raises:
        ToileError: when a picture cannot be read.
    """
    if not pair.paired:
        return "unpaired"
    photo, parse = pair.person, pair.parse
    if parse is None and parser is None:
        return "no parse map"
    if parse is None:
        assert parser is not None
        parse = parser([photo])[0]
    region = garment_region(np.asarray(parse), pair.category)
    if region.mean() < LEAST_SHARE[pair.category]:
        return "garment not found"
    kinds = (*COUNTERPARTS[pair.category], *(() if hats == "none" else ("hat",)))
    found = {kind: cut_out(photo, parse, kind) for kind in kinds}
    cut = {kind: garment for kind, garment in found.items() if garment is not None}
    if hats == "only" and "hat" not in cut:
        return "no hat"
    if not cut:
        return "no counterpart"
    in_shop = TripletGarment(kind=pair.category, cut_out=False, caption=pair.garment_caption)
    others = (
        TripletGarment(kind=kind, cut_out=True, truncated=garment.truncated) for kind, garment in cut.items()
    )
    worn = Image.fromarray(region.astype(np.uint8) * np.uint8(255))
    return Triplet(
        identifier=pair.identifier,
        source=pair.source,
        caption=pair.caption,
        garments=(in_shop, *others),
        pictures=CutPictures(pair=pair, region=worn, cut=cut),
    )


class PairTriplets(Sequence[Triplet | Reason]):
    """What each pair of a dataset makes: a triplet, or the reason why it makes none."""

    def __init__(
        self, pairs: Sequence[GarmentPair], *, parser: ParsesPhotos | None = None, hats: Hats = "any"
    ) -> None:
        """Wrap `pairs`; nothing is read before it is asked for."""
        self.pairs, self.parser, self.hats = pairs, parser, hats

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Triplet | Reason: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Triplet | Reason]: ...

    def __getitem__(self, index: int | slice) -> Triplet | Reason | Sequence[Triplet | Reason]:
        """What one pair makes, or those of a slice."""
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        return triplet_of(self.pairs[index], parser=self.parser, hats=self.hats)
