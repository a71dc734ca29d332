"""A pair's pictures and joints fitted and padded to one size."""

from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from toile.data.fingerprint import digest, fingerprint
from toile.data.pair_sequence import PairSequence
from toile.data.pose import Pose
from toile.data.record import GarmentPair, Pictures
from toile.images import Box, fit, fit_mask


class ResizedPictures:
    """Pictures fitted and padded to one size: white around photos and garments, nothing around masks."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        """Wrap `pictures`; `size` is (height, width)."""
        self.pictures, self.size = pictures, size

    def person(self) -> Image.Image:
        """The photo, fitted."""
        return fit(self.pictures.person(), self.size)[0]

    def garment(self) -> Image.Image:
        """The flat garment, fitted."""
        return fit(self.pictures.garment(), self.size)[0]

    def mask(self) -> Image.Image:
        """The agnostic mask, fitted."""
        return fit_mask(self.pictures.mask(), self.size)

    def silhouette(self) -> Image.Image:
        """The silhouette, fitted."""
        return fit_mask(self.pictures.silhouette(), self.size)

    def parse(self) -> Image.Image | None:
        """The parse map, fitted without mixing labels; background around it."""
        parse = self.pictures.parse()
        return None if parse is None else fit_labels(parse, self.size)

    def pose(self) -> Pose | None:
        """The joints, moved with the photo."""
        pose = self.pictures.pose()
        if pose is None:
            return None
        photo = self.pictures.person()
        left, top, right, bottom = fitted_box(photo.size, self.size)
        return pose.moved(((right - left) / photo.width, (bottom - top) / photo.height), (left, top))


def resized(pair: GarmentPair, size: tuple[int, int]) -> GarmentPair:
    """The same pair with its pictures fitted and padded to (height, width)."""
    return replace(pair, pictures=ResizedPictures(pair.pictures, size))


class ResizedPairs(PairSequence):
    """Pairs with their pictures fitted and padded to one size when they are read."""

    def __init__(self, pairs: Sequence[GarmentPair], size: tuple[int, int]) -> None:
        """Wrap `pairs`; `size` is (height, width)."""
        self.pairs, self.size = pairs, size

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.pairs)

    def pair(self, index: int) -> GarmentPair:
        """One of them, resized."""
        return resized(self.pairs[index], self.size)

    def fingerprint(self) -> str:
        """What tells these pairs from others: the pairs themselves, and the size."""
        return digest([fingerprint(self.pairs), self.size])


def fitted_box(picture_size: tuple[int, int], size: tuple[int, int]) -> Box:
    """The box (left, top, right, bottom) of a canvas of (height, width) that `images.fit` fills.

    `picture_size` is PIL's (width, height).
    """
    return fit(Image.new("1", picture_size), size)[1]


def fit_labels(parse: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Do to a parse map what `images.fit` does to its photo: the nearest label, and 0 in the padding."""
    left, top, right, bottom = fitted_box(parse.size, size)
    canvas = Image.new("L", (size[1], size[0]), 0)
    canvas.paste(parse.resize((right - left, bottom - top), Image.Resampling.NEAREST), (left, top))
    return canvas
