"""A person's joints in a photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from toile.errors import ToileError

JOINTS = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
"""COCO-18's order, as OpenPose writes it; "left" is the person's left."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pose:
    """The joints of one person.

    Raises:
        ToileError: when the array is not one row of three numbers for each of `JOINTS`.
    """

    keypoints: Float32[np.ndarray, "18 3"]
    """x and y in pixels of the photo, and the confidence in [0, 1]; 0 means that the joint was not found."""

    def __post_init__(self) -> None:
        """Refuse numbers that are none."""
        if not np.isfinite(self.keypoints).all():
            raise ToileError("a pose holds numbers that are not finite; estimate it again")

    def found(self, *names: str) -> bool:
        """Whether each of these joints was found."""
        return all(self.keypoints[JOINTS.index(name), 2] > 0 for name in names)

    def point(self, name: str) -> Float32[np.ndarray, "2"]:
        """Where a joint is: x, y in pixels."""
        return self.keypoints[JOINTS.index(name), :2]

    def moved(self, scale: Sequence[float], offset: Sequence[float]) -> "Pose":
        """The same pose in another picture: x, y times `scale`, plus `offset` (both x first)."""
        points = self.keypoints.copy()
        points[:, :2] = points[:, :2] * np.asarray(scale, np.float32) + np.asarray(offset, np.float32)
        return Pose(keypoints=points)
