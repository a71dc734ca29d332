"""Paper Dolls as pairs, drawn when they are asked for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal, overload

from PIL import Image

from toile.data.record import Category, GarmentPair
from toile.dolls import Doll, Mode, draw_doll

SIZE = (256, 192)
DollsMode = Literal["studio", "street", "mixed"]
"""How many dolls are drawn: all in one mode, or mixed: those with odd seeds in the street."""


@lru_cache(maxsize=64)
def _draw(seed: int, size: tuple[int, int], mode: Mode, category: Category | None) -> Doll:
    """Draw, remembering the last few: a pair's four pictures come from one drawing."""
    return draw_doll(seed, size=size, mode=mode, category=category)


@dataclass(frozen=True, kw_only=True)
class DollPictures:
    """The pictures of one doll, drawn again when they have been forgotten."""

    seed: int
    """The doll's seed."""
    size: tuple[int, int]
    """Height and width in pixels."""
    mode: Mode
    """Studio or street."""
    garment_category: Category | None
    """The garment's kind, or None to take the seed's."""

    @property
    def doll(self) -> Doll:
        """The doll itself, with everything it knows beyond a pair."""
        return _draw(self.seed, self.size, self.mode, self.garment_category)

    def person(self) -> Image.Image:
        """The person, RGB."""
        return Image.fromarray(self.doll.person)

    def garment(self) -> Image.Image:
        """The flat garment, RGB."""
        return Image.fromarray(self.doll.garment)

    def mask(self) -> Image.Image:
        """The agnostic mask, 0 or 255."""
        return Image.fromarray(self.doll.agnostic_mask)

    def silhouette(self) -> Image.Image:
        """The flat garment's silhouette, 0 or 255."""
        return Image.fromarray(self.doll.silhouette)


def doll_pair(seed: int, size: tuple[int, int], mode: Mode, category: Category | None = None) -> GarmentPair:
    """The pair that a doll makes."""
    pictures = DollPictures(seed=seed, size=size, mode=mode, garment_category=category)
    doll = pictures.doll
    return GarmentPair(
        identifier=f"{seed:08d}",
        category=doll.category,
        caption=doll.caption,
        garment_caption=doll.garment_caption,
        source=f"dolls:{mode}",
        pictures=pictures,
        reasons=frozenset(doll.hardness.labels),
        hardness=asdict(doll.hardness),
    )


class DollPairs(Sequence[GarmentPair]):
    """Dolls with consecutive seeds; each is drawn when it is indexed and not kept."""

    def __init__(
        self, first: int, count: int, *, mode: DollsMode = "studio", size: tuple[int, int] = SIZE
    ) -> None:
        """Name the dolls; nothing is drawn yet."""
        self.seeds, self.mode, self.size = range(first, first + count), mode, size

    def __len__(self) -> int:
        """How many dolls."""
        return len(self.seeds)

    @overload
    def __getitem__(self, index: int) -> GarmentPair: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[GarmentPair]: ...

    def __getitem__(self, index: int | slice) -> GarmentPair | Sequence[GarmentPair]:
        """One pair, or the dolls of a slice (of consecutive seeds), still undrawn."""
        if isinstance(index, slice):
            return [self._pair(seed) for seed in self.seeds[index]]
        return self._pair(self.seeds[index])

    def _pair(self, seed: int) -> GarmentPair:
        mixed: Mode = "street" if seed % 2 else "studio"
        return doll_pair(seed, self.size, mixed if self.mode == "mixed" else self.mode)
