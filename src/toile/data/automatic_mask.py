"""Agnostic masks of bare photos: a parser says what is worn where, a pose estimator where the joints are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image

from toile.data.agnostic import DILATION, MaskVariant, agnostic_mask, worn_garment
from toile.data.pose import Pose
from toile.errors import ToileError

LEAST_SHARE = {"upper": 0.01, "lower": 0.01, "dress": 0.01, "hat": 0.001}
"""The share of a photo that a garment has to cover to be believed in. Ours: a parser's specks are smaller."""


@runtime_checkable
class ParsesPhotos(Protocol):
    """Labels photos of people, as `toile.data.parsing.Parser` does."""

    def __call__(self, photos: Sequence[Image.Image]) -> list[Image.Image]:
        """Of each RGB photo LIP's labels, "L", of the photo's size."""
        ...


@runtime_checkable
class EstimatesPoses(Protocol):
    """Finds joints, as `toile.data.pose_estimation.PoseEstimator` does."""

    def __call__(self, photos: Sequence[Image.Image]) -> list[Pose | None]:
        """Of each RGB photo the joints of its person, in its pixels; None where nobody is found."""
        ...


@dataclass(frozen=True)
class AutomaticMask:
    """Makes the mask of a photo from the photo alone."""

    parser: ParsesPhotos
    """Says what is worn where."""
    pose_estimator: EstimatesPoses | None = None
    """Says where the joints are; without one the parse map alone has to do."""
    variant: MaskVariant = "fitted"
    """What masks look like; see `agnostic_mask`."""
    dilation: float = DILATION
    """How far masks reach beyond garment and body, as a share of the shoulders' width."""

    def mask_for(self, photo: Image.Image, category: str) -> Image.Image:
        """The agnostic mask of a garment: "L", of the photo's size, 255 where to repaint, 0 elsewhere.

        Args:
            photo: RGB, of one person.
            category: `upper`, `lower`, `dress` or `hat`.

        Raises:
            ToileError: when no garment of the category is found, or an argument is none.
        """
        parse = np.asarray(self.parser([photo])[0])
        pose = None if self.pose_estimator is None else self.pose_estimator([photo])[0]
        mask = agnostic_mask(parse, pose, category, variant=self.variant, dilation=self.dilation)
        share = float(worn_garment(parse, category).mean())
        if share < LEAST_SHARE[category] and (pose is None or category == "hat"):
            raise ToileError(
                f"only {share:.2%} of the photo is labelled as a garment of the category {category}; "
                "give a mask, or another category"
            )
        return Image.fromarray(mask)
