"""Paper Dolls as pairs, drawn when they are asked for."""

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image

from toile.data.pair_sequence import PairSequence
from toile.data.pose import Pose
from toile.data.record import Category, GarmentPair
from toile.dolls import Doll, Mode, draw_doll
from toile.errors import ToileError

SIZE = (256, 192)
DollsMode = Literal["studio", "street", "mixed"]
"""How many dolls are drawn: all in one mode, or mixed: those with odd seeds in the street."""


def mode_of(seed: int, mode: DollsMode) -> Mode:
    """How the doll of a seed is drawn."""
    if mode != "mixed":
        return mode
    return "street" if seed % 2 else "studio"


@lru_cache(maxsize=64)
def _draw(seed: int, size: tuple[int, int], mode: Mode, category: Category | None) -> Doll:
    """Draw, remembering the last few: a pair's pictures come from one drawing."""
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

    def parse(self) -> Image.Image:
        """The exact parse map, LIP's labels."""
        return Image.fromarray(self.doll.parse)

    def pose(self) -> Pose:
        """The exact joints."""
        return Pose(keypoints=self.doll.joints)

    def points(self) -> Float32[np.ndarray, "H W 2"]:
        """The exact warp, as far as it can be seen; pixels' centres lie at halves."""
        worn = self.doll.garments[self.doll.category]
        height, width = self.size
        points = (worn.warp + 0.5) / np.array([width, height], np.float32)  # (H W 2)
        return np.where(worn.warp_visible[..., None], points, np.nan).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class OtherGarmentPictures:
    """A doll, and the garment of another that it is to put on."""

    wearer: DollPictures
    """Gives the photo and everything that belongs to it."""
    owner: DollPictures
    """Gives the garment."""

    def person(self) -> Image.Image:
        """The person, RGB."""
        return self.wearer.person()

    def garment(self) -> Image.Image:
        """The other's flat garment, RGB."""
        return self.owner.garment()

    def mask(self) -> Image.Image:
        """The person's agnostic mask, 0 or 255."""
        return self.wearer.mask()

    def silhouette(self) -> Image.Image:
        """The other's garment's silhouette, 0 or 255."""
        return self.owner.silhouette()

    def parse(self) -> Image.Image:
        """The person's parse map, LIP's labels."""
        return self.wearer.parse()

    def pose(self) -> Pose:
        """The person's joints."""
        return self.wearer.pose()


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


def unpaired_doll_pair(seed: int, other_seed: int, size: tuple[int, int], mode: Mode) -> GarmentPair:
    """A doll and the garment of another, drawn in the category of the first one's own."""
    own = doll_pair(seed, size, mode)
    owner = DollPictures(seed=other_seed, size=size, mode=mode, garment_category=own.category)
    wearer = DollPictures(seed=seed, size=size, mode=mode, garment_category=None)
    return replace(
        own,
        garment_caption=owner.doll.garment_caption,
        pictures=OtherGarmentPictures(wearer=wearer, owner=owner),
        reasons=None,
        hardness={},
        garment_identifier=f"{other_seed:08d}",
        paired=False,
    )


class DollPairs(PairSequence):
    """Dolls with consecutive seeds; each is drawn when it is indexed and not kept.

    Unpaired, each is given the garment of the next, and the last that of the first.
    """

    def __init__(
        self,
        first: int,
        count: int,
        *,
        mode: DollsMode = "studio",
        size: tuple[int, int] = SIZE,
        paired: bool = True,
    ) -> None:
        """Name the dolls; nothing is drawn yet.

        Raises:
            ToileError: when one doll alone is to be unpaired.
        """
        if not paired and count < 2:
            raise ToileError("one doll alone cannot swap its garment; ask for at least 2 unpaired dolls")
        self.seeds, self.mode, self.size, self.paired = range(first, first + count), mode, size, paired

    def __len__(self) -> int:
        """How many dolls."""
        return len(self.seeds)

    def pair(self, index: int) -> GarmentPair:
        """One pair."""
        seed = self.seeds[index]
        mode = mode_of(seed, self.mode)
        if self.paired:
            return doll_pair(seed, self.size, mode)
        return unpaired_doll_pair(seed, self.seeds[(index + 1) % len(self.seeds)], self.size, mode)
