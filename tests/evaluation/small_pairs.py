"""Pairs drawn by the tests themselves: a garment worn where the mask is, and the same garment laid flat."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from toile.data.record import Category, GarmentPair

SIZE = (64, 48)
BOXES: dict[Category, tuple[int, int, int, int]] = {
    "upper": (8, 8, 40, 40),
    "lower": (12, 20, 36, 60),
    "dress": (10, 4, 38, 60),
}


@dataclass(frozen=True, kw_only=True)
class StripedPictures:
    """A striped rectangle, flat; and half as big somewhere on a grey person."""

    seed: int
    category: Category
    place: tuple[int, int] = (10, 12)

    def garment(self) -> Image.Image:
        left, top, right, bottom = BOXES[self.category]
        picture = Image.new("RGB", (SIZE[1], SIZE[0]), "white")
        picture.paste(self._cloth((bottom - top, right - left)), (left, top))
        return picture

    def silhouette(self) -> Image.Image:
        shape = Image.new("L", (SIZE[1], SIZE[0]), 0)
        shape.paste(255, BOXES[self.category])
        return shape

    def person(self) -> Image.Image:
        picture = Image.new("RGB", (SIZE[1], SIZE[0]), (150, 140, 130))
        picture.paste(self._cloth(self._worn()), self.place)
        return picture

    def mask(self) -> Image.Image:
        height, width = self._worn()
        shape = Image.new("L", (SIZE[1], SIZE[0]), 0)
        shape.paste(255, (self.place[0], self.place[1], self.place[0] + width, self.place[1] + height))
        return shape

    def parse(self) -> None:
        return None

    def pose(self) -> None:
        return None

    def _worn(self) -> tuple[int, int]:
        left, top, right, bottom = BOXES[self.category]
        return (bottom - top) // 2, (right - left) // 2

    def _cloth(self, size: tuple[int, int]) -> Image.Image:
        colours = np.random.default_rng(self.seed).integers(20, 220, (4, 3), dtype=np.uint8)
        stripes = colours[np.arange(16) * 4 // 16]  # (16, 3)
        cloth = Image.fromarray(np.repeat(stripes[:, None], 4, axis=1))
        return cloth.resize((size[1], size[0]), Image.Resampling.NEAREST)


def striped(seed: int, category: Category = "upper", place: tuple[int, int] = (10, 12)) -> GarmentPair:
    return GarmentPair(
        identifier=f"{category}-{seed}",
        category=category,
        caption="",
        garment_caption="",
        source="stripes",
        pictures=StripedPictures(seed=seed, category=category, place=place),
    )
