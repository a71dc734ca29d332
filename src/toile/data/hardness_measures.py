"""Measured reasons to leave a pair out of the fine stage: what labels say of dolls, from pictures alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image

from toile.data.colour_match import inner_pixels, mismatch
from toile.data.garment_shape import extreme_proportion, side_view, torso_box
from toile.data.pose import Pose
from toile.data.record import GarmentPair
from toile.data.worn_garment import (
    garment_corners,
    hidden_detail,
    hidden_region,
    occlusion,
    torso_corners,
    truncation,
    turned_away,
    worn_region,
)
from toile.errors import ToileError

REASONS = ("occlusion", "truncation", "side_view", "extreme_proportion", "mismatch")
"""Everything that is measured, each in [0, 1]: 0 speaks for the pair, 1 against it."""
Found = TypeVar("Found")
LARGEST_SIDE = 384
"""Ours: larger pictures are measured at this size; shares do not need more."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured of one pair."""

    scores: Mapping[str, float]
    """The reasons that could be measured, each in [0, 1]."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """The other reasons, and why they could not be."""
    hidden_detail: float | None = None
    """The share of the garment's detail that is hidden, in [0, 1]; None with an unknown occlusion."""

    def __post_init__(self) -> None:
        """Check that each reason is either measured or unknown.

        Raises:
            ToileError: when one is missing, or a score lies outside [0, 1].
        """
        if {*self.scores, *self.unknown} != set(REASONS) or len(self.scores) + len(self.unknown) != len(
            REASONS
        ):
            raise ToileError(f"measures name {sorted({*self.scores, *self.unknown})}, not each of {REASONS}")
        wrong = next((name for name, score in self.scores.items() if not 0 <= score <= 1), None)
        if wrong is not None:
            raise ToileError(f"the score {wrong} is {self.scores[wrong]}; scores lie in [0, 1]")


class Unmeasured(Exception):
    """Why a reason cannot be measured of a pair."""


def measure(pair: GarmentPair) -> Measures:
    """Measure every reason that the pair's pictures allow.

    Raises:
        ToileError: when a picture cannot be read.
    """
    view = PairView(pair)
    scores: dict[str, float] = {}
    unknown: dict[str, str] = {}
    for reason, score_of in SCORES.items():
        try:
            scores[reason] = float(score_of(view))
        except Unmeasured as why:
            unknown[reason] = str(why)
    detail = view.hidden_detail() if "occlusion" in scores else None
    return Measures(scores=scores, unknown=unknown, hidden_detail=detail)


class PairView:
    """A pair's pictures as arrays of a moderate size, and what several reasons need of them."""

    def __init__(self, pair: GarmentPair) -> None:
        """Keep the pair; nothing is read yet."""
        self.pair = pair

    @cached_property
    def silhouette(self) -> Bool[np.ndarray, "h w"]:
        """Where the flat garment is."""
        mask = np.asarray(_smaller(self.pair.silhouette, Image.Resampling.NEAREST)) >= 128
        if not mask.any():
            raise Unmeasured("the garment's silhouette is empty")
        return mask

    @cached_property
    def garment(self) -> UInt8[np.ndarray, "h w 3"]:
        """The flat garment, RGB, of the silhouette's size."""
        height, width = self.silhouette.shape
        return np.asarray(self.pair.garment.resize((width, height), Image.Resampling.BOX))

    @cached_property
    def parse(self) -> UInt8[np.ndarray, "H W"]:
        """The photo's parse map."""
        parse = self._worn(self.pair.parse, "parse map")
        return np.asarray(_smaller(parse, Image.Resampling.NEAREST))

    @cached_property
    def photo(self) -> UInt8[np.ndarray, "H W 3"]:
        """The photo, RGB, of the parse map's size."""
        height, width = self.parse.shape
        return np.asarray(self.pair.person.resize((width, height), Image.Resampling.BOX))

    @cached_property
    def pose(self) -> Pose:
        """The joints, in pixels of the parse map."""
        pose, (height, width) = self._worn(self.pair.pose, "joints"), self.parse.shape
        full = self.pair.person.size
        return pose if full == (width, height) else pose.moved((width / full[0], height / full[1]), (0, 0))

    @cached_property
    def worn(self) -> Bool[np.ndarray, "H W"]:
        """Where the garment is seen on the person."""
        return worn_region(self.parse, self.pair.category)

    @cached_property
    def corners(self) -> Float32[np.ndarray, "4 2"]:
        """Where it should be seen (`garment_corners`)."""
        torso = torso_corners(self.pose)
        if torso is None:
            raise Unmeasured("neither shoulders nor hips were found")
        rows = np.flatnonzero(self.worn.any(axis=1))
        return garment_corners(torso, self.pair.category, float(rows[-1]) if len(rows) else 0.0)

    @cached_property
    def hidden(self) -> Bool[np.ndarray, "H W"]:
        """Where something hides it."""
        return hidden_region(self.parse, self.corners, self.pair.category)

    def occlusion(self) -> float:
        """See `worn_garment.occlusion`."""
        return occlusion(self.worn, self.hidden)

    def truncation(self) -> float:
        """See `worn_garment.truncation`."""
        if not self.worn.any():
            raise Unmeasured("the parse map shows no such garment")
        return truncation(self.worn)

    def side_view(self) -> float:
        """The flat garment's or the person's, whichever is turned farther; without joints the garment's."""
        garment = side_view(self.silhouette)
        try:
            return max(garment, turned_away(self.pose) or 0.0)
        except Unmeasured:
            return garment

    def extreme_proportion(self) -> float:
        """See `garment_shape.extreme_proportion`."""
        return extreme_proportion(self.silhouette)

    def mismatch(self) -> float:
        """See `colour_match.mismatch`."""
        worn = inner_pixels(self.photo, self.worn)
        score = mismatch(worn, inner_pixels(self.garment, self.silhouette))
        if score is None:
            raise Unmeasured("too little of the garment is seen")
        return score

    def hidden_detail(self) -> float | None:
        """See `worn_garment.hidden_detail`; None when there is no silhouette to lay it on."""
        try:
            box = torso_box(self.silhouette)
            return hidden_detail(self.hidden, self.corners, self.garment, self.silhouette, box)
        except Unmeasured:
            return None

    def _worn(self, found: Found | None, what: str) -> Found:
        """What describes the worn garment, where the source has it and the garment is the worn one."""
        if not self.pair.paired:
            raise Unmeasured("the person wears another garment")
        if found is None:
            raise Unmeasured(f"the source has no {what}")
        return found


SCORES: Mapping[str, Callable[[PairView], float]] = MappingProxyType(
    {name: getattr(PairView, name) for name in REASONS}
)
"""How each reason is measured."""


def _smaller(picture: Image.Image, resample: Image.Resampling) -> Image.Image:
    """The picture, scaled down where its longer side is beyond `LARGEST_SIDE`."""
    scale = LARGEST_SIDE / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), resample)
