"""Triplets straight from Paper Dolls: everything a doll wears is known flat, and where it is worn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

from PIL import Image

from toile.data.cutouts import CutOut, cut_out
from toile.data.doll_pairs import SIZE, DollPictures, DollsMode, mode_of
from toile.data.fingerprint import digest
from toile.data.record import Category
from toile.data.triplets import Triplet, TripletGarment
from toile.data.varied_captions import telling_of
from toile.dolls import TELLINGS, Doll, Telling
from toile.errors import ToileError

Others = Literal["cut-out", "flat"]
"""The garments beside the in-shop one: cut from the photo, as the paper has them, or flat as well."""
Captions = Telling | Literal["varied"]
"""What captions say of the clothes: the same of every doll's, or what `telling_of` says."""
IN_SHOP: tuple[Category, ...] = ("upper", "lower")


@dataclass(frozen=True, kw_only=True)
class DollTripletPictures:
    """The pictures of a doll's triplet, drawn again when they have been forgotten."""

    pictures: DollPictures
    """Draws the doll."""
    others: Others
    """Whether the garments beside the in-shop one are cut from the photo."""

    @property
    def doll(self) -> Doll:
        """The doll, with everything that is known about it."""
        return self.pictures.doll

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.pictures.person()

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB."""
        cut = self.cut(kind)
        return Image.fromarray(self.doll.garments[kind].image) if cut is None else cut.picture

    def worn(self, kind: str) -> Image.Image:
        """Where it is worn, "L", 0 or 255."""
        return Image.fromarray(self.doll.garments[kind].worn)

    def cut(self, kind: str) -> CutOut | None:
        """The garment as it is cut from the photo; None where it stays flat, or too little of it is seen."""
        if self.others == "flat" or kind == self.doll.category:
            return None
        return cut_out(self.person(), self.pictures.parse(), kind)


class DollTriplets(Sequence[Triplet]):
    """Two triplets a doll: its upper garment in-shop with the lower one cut out, and the reverse.

    Dolls in a hat bring it as a third garment. A cut-out that shows too little is replaced by the flat one.
    """

    def __init__(
        self,
        first: int,
        count: int,
        *,
        mode: DollsMode = "studio",
        size: tuple[int, int] = SIZE,
        others: Others = "cut-out",
        captions: Captions = "described",
    ) -> None:
        """Name the dolls with the seeds from `first` on; nothing is drawn yet.

        Raises:
            ToileError: when there are none.
        """
        if first < 0 or count < 1:
            raise ToileError(
                f"dolls from seed {first} on, {count} of them: seeds start at 0, and one is the least"
            )
        self.seeds, self.mode, self.size = range(first, first + count), mode, size
        self.others, self.captions = others, captions

    def __len__(self) -> int:
        """How many triplets: two for each doll."""
        return len(IN_SHOP) * len(self.seeds)

    def fingerprint(self) -> str:
        """What tells these triplets from others."""
        return digest([self.seeds, self.mode, self.size, self.others, self.captions, TELLINGS])

    @overload
    def __getitem__(self, index: int) -> Triplet: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Triplet]: ...

    def __getitem__(self, index: int | slice) -> Triplet | Sequence[Triplet]:
        """One triplet, or those of a slice."""
        places = range(len(self))
        return (
            [self._triplet(i) for i in places[index]]
            if isinstance(index, slice)
            else self._triplet(places[index])
        )

    def _triplet(self, index: int) -> Triplet:
        seed, category = self.seeds[index // len(IN_SHOP)], IN_SHOP[index % len(IN_SHOP)]
        mode = mode_of(seed, self.mode)
        telling = telling_of(seed) if self.captions == "varied" else self.captions
        doll = DollPictures(seed=seed, size=self.size, mode=mode, garment_category=category)
        pictures = DollTripletPictures(pictures=doll, others=self.others)
        kinds = sorted(doll.doll.garments, key=lambda kind: kind != category)
        return Triplet(
            identifier=f"{seed:08d}-{category}",
            source=f"dolls:{mode}",
            caption=doll.doll.captions[telling],
            garments=tuple(_garment(pictures, kind) for kind in kinds),
            pictures=pictures,
        )


def _garment(pictures: DollTripletPictures, kind: str) -> TripletGarment:
    cut = pictures.cut(kind)
    return TripletGarment(
        kind=kind,
        cut_out=cut is not None,
        caption=pictures.doll.garments[kind].caption,
        truncated=cut is not None and cut.truncated,
    )
