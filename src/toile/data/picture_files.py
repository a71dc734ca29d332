"""The pictures of a pair as files on a disk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from toile.errors import ToileError
from toile.images import binary, load_photo

NEAR_WHITE = 245
"""A garment pixel with every channel at least this counts as background when no silhouette is given."""


def read_mask(path: Path) -> Image.Image:
    """Read a mask as "L" with the values 0 and 255 only (datasets keep some of theirs as JPEG or as RGB)."""
    return binary(load_photo(path).convert("L"))


def silhouette_of(garment: Image.Image) -> Image.Image:
    """The silhouette of a garment on white, from its colours: 255 where any channel is darker than white."""
    inside = np.asarray(garment.convert("RGB")).min(axis=2) < NEAR_WHITE
    return Image.fromarray(inside.astype(np.uint8) * 255)


@dataclass(frozen=True, kw_only=True)
class FilePictures:
    """Reads a pair's pictures from files.

    Raises:
        ToileError: when a file that was named is not there.
    """

    person_file: Path
    """The photo."""
    garment_file: Path
    """The flat garment."""
    mask_file: Path | None = None
    """The agnostic mask; None makes the whole photo count."""
    silhouette_file: Path | None = None
    """The garment's silhouette; None takes it from the garment's colours."""

    def __post_init__(self) -> None:
        """Check that the files are there."""
        for name in ("person_file", "garment_file", "mask_file", "silhouette_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                word = name.removesuffix("_file")
                raise ToileError(
                    f"the pair's {word} picture is missing: {path}; restore it or take the pair off the list"
                )

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return load_photo(self.person_file)

    def garment(self) -> Image.Image:
        """The flat garment, RGB."""
        return load_photo(self.garment_file)

    def mask(self) -> Image.Image:
        """The agnostic mask, or white everywhere when the dataset has none."""
        if self.mask_file is not None:
            return read_mask(self.mask_file)
        return Image.new("L", self.person().size, 255)

    def silhouette(self) -> Image.Image:
        """The silhouette, from its file or from the garment's colours."""
        return (
            read_mask(self.silhouette_file)
            if self.silhouette_file is not None
            else silhouette_of(self.garment())
        )
