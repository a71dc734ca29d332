"""Augmented pairs: mirrored, moved, scaled and recoloured, the same way each time they are asked for.

What each change means for the parts of a pair:

| | photo | flat garment, silhouette | mask | parse map | joints |
|---|---|---|---|---|---|
| flip | mirrored | mirrored | mirrored | mirrored, left and right labels swapped | the same |
| shift, scale | moved, white around it | as they were | moved, 0 around it | moved, 0 around it | moved |
| colour | recoloured | recoloured alike, the ground as it was | – | – | – |

Only the photo moves: how a flat garment lies in its picture is what IGR learns. Captions stay as they are.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float64
from PIL import Image, ImageOps

from toile.data.fingerprint import digest, fingerprint
from toile.data.pair_sequence import PairSequence
from toile.data.parse_labels import LIP
from toile.data.pose import JOINTS, Pose
from toile.data.record import GarmentPair, Pictures
from toile.errors import ToileError

LUMA = np.array([0.299, 0.587, 0.114])
"""How much red, green and blue count for lightness. Source: ITU-R BT.601."""
MIDDLE = 127.5
"""Contrast is changed about this grey: not about each picture's own mean, which would part the two."""


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """How much pairs are changed. The defaults are ours: the papers name no augmentation.

    Raises:
        ToileError: when a value makes no sense.
    """

    flip: float = 0.5
    """How often a pair is mirrored, in [0, 1]."""
    shift: float = 0.1
    """How far a photo is moved at most, as a share of its width and height, below 1."""
    zoom: float = 0.1
    """By how much a photo is enlarged or reduced at most, as a share, below 1."""
    brightness: float = 0.1
    """By how much colours are made lighter or darker at most, as a share, below 1."""
    contrast: float = 0.1
    """By how much they are drawn from or towards the middle grey at most, as a share, below 1."""
    saturation: float = 0.1
    """By how much they are drawn from or towards grey at most, as a share, below 1."""
    hue: float = 5.0
    """By how many degrees hues are turned at most, up to 180."""

    def __post_init__(self) -> None:
        """Refuse changes that leave nothing of a picture."""
        for field in fields(self):
            value, most = getattr(self, field.name), {"flip": 1.0, "hue": 180.0}.get(field.name, 0.99)
            if not 0 <= value <= most:
                raise ToileError(f"{field.name} is {value}; it must lie between 0 and {most:g}")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done to one pair."""

    flip: bool
    """Whether everything is mirrored."""
    shift: tuple[float, float]
    """By what share of the photo's width and height it is moved, right and down."""
    zoom: float
    """How many times as large it becomes, about its middle."""
    brightness: float
    """What colours are multiplied by."""
    contrast: float
    """What their distance from the middle grey is multiplied by."""
    saturation: float
    """What their distance from their own grey is multiplied by."""
    hue: float
    """By how many degrees hues are turned."""

    @cached_property
    def colour_matrix(self) -> Float64[np.ndarray, "3 4"]:
        """The change of RGB in [0, 255] as one affine map: pixel by pixel, so that both pictures agree."""
        angle = math.radians(self.hue)
        cosine, sine = math.cos(angle), math.sin(angle)
        # In YIQ (FCC, 1953) a hue is an angle: Y keeps the lightness, I and Q are turned.
        yiq = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
        turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
        saturate = np.diag([1, self.saturation, self.saturation])
        linear = np.linalg.inv(yiq) @ saturate @ turn @ yiq * self.contrast * self.brightness
        offset = np.full(3, MIDDLE * (1 - self.contrast) * self.brightness)
        return np.asarray(np.column_stack([linear, offset]), np.float64)


def draw_change(settings: AugmentationSettings, seed: int, epoch: int, index: int) -> Change:
    """The change of a pair in an epoch: the same on every process, and whatever was drawn before."""
    random = np.random.default_rng([seed, epoch, index])
    flip = bool(random.random() < settings.flip)
    shift = tuple(float(random.uniform(-settings.shift, settings.shift)) for _ in range(2))
    factors = {
        name: float(random.uniform(1 - getattr(settings, name), 1 + getattr(settings, name)))
        for name in ("zoom", "brightness", "contrast", "saturation")
    }
    hue = float(random.uniform(-settings.hue, settings.hue))
    return Change(flip=flip, shift=(shift[0], shift[1]), hue=hue, **factors)


class AugmentedPairs(PairSequence):
    """Pairs that are changed anew in each epoch.

    Several epochs may be had as one long sequence, so that they can be encoded ahead: the pair at index
    e · N + i is pair i of N in epoch `first_epoch` + e.
    """

    def __init__(
        self,
        pairs: Sequence[GarmentPair],
        settings: AugmentationSettings,
        *,
        seed: int = 0,
        first_epoch: int = 0,
        epochs: int = 1,
    ) -> None:
        """Wrap `pairs`; nothing is drawn yet.

        Raises:
            ToileError: when the seed or an epoch is negative, or there is no epoch.
        """
        if seed < 0 or first_epoch < 0 or epochs < 1:
            raise ToileError(
                f"seed is {seed}, first_epoch {first_epoch} and epochs {epochs}; they begin at 0, 0 and 1"
            )
        self.pairs, self.settings, self.seed = pairs, settings, seed
        self.first_epoch, self.epochs = first_epoch, epochs

    def __len__(self) -> int:
        """How many pairs all epochs have together."""
        return self.epochs * len(self.pairs)

    def change(self, index: int) -> Change:
        """What is done to the pair at an index."""
        epoch, row = divmod(index, len(self.pairs))
        return draw_change(self.settings, self.seed, self.first_epoch + epoch, row)

    def pair(self, index: int) -> GarmentPair:
        """The pair at an index, its pictures changed when they are read."""
        pair = self.pairs[index % len(self.pairs)]
        return replace(pair, pictures=AugmentedPictures(pictures=pair.pictures, change=self.change(index)))

    def fingerprint(self) -> str:
        """What tells these pairs from others: the pairs themselves, and what is done to them."""
        return digest([fingerprint(self.pairs), self.settings, self.seed, self.first_epoch, self.epochs])


@dataclass(frozen=True, kw_only=True)
class AugmentedPictures:
    """The pictures of a pair, changed."""

    pictures: Pictures
    """What they are without the change."""
    change: Change
    """What is done to them."""

    def person(self) -> Image.Image:
        """The photo: recoloured, moved on white, mirrored."""
        photo = recoloured(self.pictures.person(), self.change)
        return self._mirrored(moved(photo, self.change, Image.Resampling.BILINEAR, (255, 255, 255)))

    def garment(self) -> Image.Image:
        """The flat garment: recoloured within its silhouette, mirrored."""
        garment = self.pictures.garment()
        garment = Image.composite(
            recoloured(garment, self.change), garment, self.pictures.silhouette().convert("L")
        )
        return self._mirrored(garment)

    def mask(self) -> Image.Image:
        """The agnostic mask: moved, mirrored; 0 where the photo does not reach."""
        return self._mirrored(moved(self.pictures.mask(), self.change, Image.Resampling.NEAREST, 0))

    def silhouette(self) -> Image.Image:
        """The silhouette: mirrored."""
        return self._mirrored(self.pictures.silhouette())

    def parse(self) -> Image.Image | None:
        """The parse map: moved, mirrored with its left and right labels swapped; background around it."""
        parse = self.pictures.parse()
        if parse is None:
            return None
        parse = moved(parse, self.change, Image.Resampling.NEAREST, LIP["background"])
        return ImageOps.mirror(parse.point(SWAPPED_LABELS)) if self.change.flip else parse

    def pose(self) -> Pose | None:
        """The joints: moved, mirrored with left and right swapped; beyond the frame they are not found."""
        pose = self.pictures.pose()
        if pose is None:
            return None
        size = self.pictures.person().size
        scale, corner = self.change.zoom, offset(self.change, size)
        pose = pose.moved((scale, scale), [part + (scale - 1) / 2 for part in corner])  # pixels' centres
        if self.change.flip:
            pose = Pose(keypoints=pose.moved((-1, 1), (size[0] - 1, 0)).keypoints[SWAPPED_JOINTS])
        return within_frame(pose, size)

    def _mirrored(self, picture: Image.Image) -> Image.Image:
        return ImageOps.mirror(picture) if self.change.flip else picture


def recoloured(picture: Image.Image, change: Change) -> Image.Image:
    """An RGB picture with every colour changed."""
    return picture.convert("RGB", tuple(change.colour_matrix.ravel().tolist()))


def offset(change: Change, size: tuple[int, int]) -> tuple[float, float]:
    """Where the upper left corner of a picture of (width, height) comes to lie: x, y in pixels."""
    x, y = (side / 2 * (1 - change.zoom) + part * side for side, part in zip(size, change.shift, strict=True))
    return x, y


def moved(
    picture: Image.Image, change: Change, resample: Image.Resampling, fill: int | tuple[int, int, int]
) -> Image.Image:
    """A picture shifted and scaled about its middle within its own frame."""
    if change.zoom == 1 and not any(change.shift):
        return picture
    (x, y), inverse = offset(change, picture.size), 1 / change.zoom
    back = (inverse, 0, -x * inverse, 0, inverse, -y * inverse)
    return picture.transform(picture.size, Image.Transform.AFFINE, back, resample, fillcolor=fill)


def within_frame(pose: Pose, size: tuple[int, int]) -> Pose:
    """The same pose with the confidence 0 for every joint outside a picture of (width, height)."""
    points = pose.keypoints.copy()
    inside = ((points[:, :2] > -0.5) & (points[:, :2] < np.array(size) - 0.5)).all(axis=1)
    points[~inside, 2] = 0
    return Pose(keypoints=points)


def _other_side(name: str) -> str:
    """What a name's left is on the right, and the other way round."""
    for side, other in (("left ", "right "), ("right ", "left ")):
        if name.startswith(side):
            return other + name.removeprefix(side)
    return name


SWAPPED_JOINTS = [JOINTS.index(_other_side(name)) for name in JOINTS]
"""Which joint each one is in a mirrored photo."""
SWAPPED_LABELS = [
    next((LIP[_other_side(name)] for name, number in LIP.items() if number == label), label)
    for label in range(256)
]
"""Which label each one is in a mirrored parse map."""
