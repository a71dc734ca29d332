"""The one record type: a person in a photo, and a garment laid flat, worn there or to be put on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image

from toile.data.pose import Pose
from toile.errors import ToileError

Category = Literal["upper", "lower", "dress"]
CATEGORIES: tuple[Category, ...] = get_args(Category)

MENDABLE = frozenset({"extreme_proportion"})
"""What makes a pair hard but is mended by padding, not by leaving the pair out (IGR, Sec. 3.4)."""


@runtime_checkable
class Pictures(Protocol):
    """Where the pictures of a pair come from, and its joints; each is read when it is asked for."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        ...

    def garment(self) -> Image.Image:
        """The flat garment on white, RGB."""
        ...

    def mask(self) -> Image.Image:
        """The agnostic mask of the photo, "L", 0 or 255."""
        ...

    def silhouette(self) -> Image.Image:
        """The silhouette of the flat garment, "L", 0 or 255."""
        ...

    def parse(self) -> Image.Image | None:
        """The photo's parse map, "L", LIP's labels, the photo's size; None where the source has none."""
        ...

    def pose(self) -> Pose | None:
        """The person's joints in pixels of the photo; None where the source has none, or found nobody."""
        ...


@runtime_checkable
class KnowsPoints(Protocol):
    """Pictures of which the exact warp may be known, as drawn ones'."""

    def points(self) -> Float32[np.ndarray, "H W 2"] | None:
        """As `GarmentPair.points`."""
        ...


def points_of(pictures: Pictures) -> Float32[np.ndarray, "H W 2"] | None:
    """The exact warp, as `GarmentPair.points`, of pictures that may not know it."""
    return pictures.points() if isinstance(pictures, KnowsPoints) else None


@dataclass(frozen=True, kw_only=True)
class GarmentPair:
    """A person photo and a flat garment. Pictures are read lazily, and again each time they are asked for.

    Raises:
        ToileError: when the category is none of `CATEGORIES` or the identifier is empty.
    """

    identifier: str
    """Names the pair within its source."""
    category: Category
    """What kind of garment the pair is about."""
    caption: str
    """Describes the photo, or is empty when nothing is known."""
    garment_caption: str
    """Describes the flat garment, or is empty when nothing is known."""
    source: str
    """Where the pair comes from, for messages and reports."""
    pictures: Pictures = field(repr=False)
    """Reads the pictures and the joints."""
    has_mask: bool = True
    """Whether the source gives an agnostic mask; without one the whole photo counts as the region."""
    reasons: frozenset[str] | None = None
    """What makes the pair hard: occlusion, truncation, side_view, extreme_proportion; None when unknown."""
    hardness: Mapping[str, float] = field(default_factory=dict)
    """The same with numbers in [0, 1], as far as the source measures them."""
    garment_identifier: str = ""
    """Names the flat garment within its source; empty means that it is the pair's own."""
    paired: bool = True
    """Whether the person wears the garment. If not, the garment and its silhouette are those to put on."""

    def __post_init__(self) -> None:
        """Refuse what no later step could use."""
        if self.category not in CATEGORIES:
            raise ToileError(
                f"{self.source}: {self.identifier!r} has the category {self.category!r}; "
                f"a pair's category is one of {', '.join(CATEGORIES)}"
            )
        if not self.identifier:
            raise ToileError(f"{self.source}: a pair has an empty identifier")

    @property
    def hard(self) -> bool | None:
        """Whether IGR's fine stage leaves the pair out (its Fig. 2a); None when the source does not say.

        Extreme proportions alone do not make a pair hard here: they are padded (see `with_fair_proportion`).
        """
        return None if self.reasons is None else bool(self.reasons - MENDABLE)

    @property
    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.pictures.person()

    @property
    def garment(self) -> Image.Image:
        """The flat garment on white, RGB."""
        return self.pictures.garment()

    @property
    def mask(self) -> Image.Image:
        """The agnostic mask, "L", of the photo's size: 255 where the garment may be, 0 elsewhere."""
        return self.pictures.mask()

    @property
    def silhouette(self) -> Image.Image:
        """The flat garment's silhouette, "L", of the garment picture's size: 255 inside, 0 elsewhere."""
        return self.pictures.silhouette()

    @property
    def parse(self) -> Image.Image | None:
        """The parse map, "L", of the photo's size, in LIP's labels (see `parse_labels`); None without one."""
        return self.pictures.parse()

    @property
    def pose(self) -> Pose | None:
        """The person's joints in pixels of the photo; None where the source has none, or found nobody."""
        return self.pictures.pose()

    @property
    def points(self) -> Float32[np.ndarray, "H W 2"] | None:
        """For each pixel of the garment picture x, y of the same point in the photo, in [0, 1] of its sides.

        NaN where there is no garment, or where its point cannot be seen; None where the source does not know.
        """
        return points_of(self.pictures)
