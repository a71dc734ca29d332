"""The pictures of a pair as files on a disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from toile.data.openpose_files import read_dresscode_pose, read_openpose
from toile.data.parse_labels import LabelSet, to_lip
from toile.data.pose import Pose
from toile.decoding import decode, picture_size
from toile.errors import ToileError
from toile.images import binary, load_photo

PoseFormat = Literal["openpose", "dresscode"]
"""How joints are kept: as OpenPose writes them, or as DressCode does."""
NEAR_WHITE = 245
"""A garment pixel with every channel at least this counts as background when no silhouette is given."""


def read_mask(path: Path) -> Image.Image:
    """Read a mask as "L" with the values 0 and 255 only (datasets keep some of theirs as JPEG or as RGB)."""
    return binary(load_photo(path).convert("L"))


def silhouette_of(garment: Image.Image) -> Image.Image:
    """The silhouette of a garment on white, from its colours: 255 where any channel is darker than white."""
    inside = np.asarray(garment.convert("RGB")).min(axis=2) < NEAR_WHITE
    return Image.fromarray(inside.astype(np.uint8) * 255)


def as_parse_map(picture: Image.Image, label_set: LabelSet, photo_size: tuple[int, int]) -> Image.Image:
    """A parse map as "L" with LIP's labels, from a picture whose pixels, grey or a palette's, are labels.

    Args:
        picture: as it was decoded, of mode "L" or "P".
        label_set: what its numbers mean.
        photo_size: (width, height) of its photo.

    Raises:
        ToileError: when the picture is of another kind or size, or holds a label that the set does not have.
    """
    if picture.mode not in ("L", "P"):
        raise ToileError(
            f"its pixels are no labels but {picture.mode}; write labels as grey or as a palette picture"
        )
    if picture.size != tuple(photo_size):
        own, photo = (f"{width}×{height}" for width, height in (picture.size, photo_size))
        raise ToileError(f"it measures {own} and its photo {photo}; a parse map has the size of its photo")
    return Image.fromarray(to_lip(np.asarray(picture), label_set))


@dataclass(frozen=True, kw_only=True)
class FilePictures:
    """Reads a pair's pictures and joints from files.

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
    parse_file: Path | None = None
    """The photo's parse map, its pixels being labels."""
    label_set: LabelSet = "lip"
    """What the labels of the parse map mean."""
    pose_file: Path | None = None
    """The joints, in a format that `openpose_files` reads."""
    pose_format: PoseFormat = "openpose"
    """Who wrote the joints."""

    def __post_init__(self) -> None:
        """Check that the files are there."""
        for name in ("person", "garment", "mask", "silhouette", "parse", "pose"):
            path = getattr(self, f"{name}_file")
            if path is not None and not path.is_file():
                what = "joints are" if name == "pose" else f"{name} picture is"
                raise ToileError(
                    f"the pair's {what} missing: {path}; restore it or take the pair off the list"
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

    def parse(self) -> Image.Image | None:
        """The parse map in LIP's labels, from its file."""
        if self.parse_file is None:
            return None
        try:
            return as_parse_map(decode(self.parse_file), self.label_set, picture_size(self.person_file))
        except ToileError as error:
            reason = str(error).removeprefix(f"{self.parse_file} ")
            raise ToileError(f"parse map {self.parse_file}: {reason}") from error

    def pose(self) -> Pose | None:
        """The joints in pixels of the photo, from their file."""
        if self.pose_file is None:
            return None
        if self.pose_format == "dresscode":
            return read_dresscode_pose(self.pose_file, picture_size(self.person_file))
        return read_openpose(self.pose_file)
