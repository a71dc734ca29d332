"""A pose as OpenPose pictures show it: what ControlNets and try-on models take as a condition."""

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from toile.data.pose import Pose

COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""RGB of each joint, and of the limb with the same number. Source: OpenPose's COCO-18 rendering, as
ControlNet's annotator draws it."""
LIMBS = (
    ("neck", "right shoulder"), ("neck", "left shoulder"), ("right shoulder", "right elbow"),
    ("right elbow", "right wrist"), ("left shoulder", "left elbow"), ("left elbow", "left wrist"),
    ("neck", "right hip"), ("right hip", "right knee"), ("right knee", "right ankle"), ("neck", "left hip"),
    ("left hip", "left knee"), ("left knee", "left ankle"), ("neck", "nose"), ("nose", "right eye"),
    ("right eye", "right ear"), ("nose", "left eye"), ("left eye", "left ear"),
)  # fmt: skip
"""Pairs of joints in the order that they are drawn in. Source: the same."""
LIMB_BRIGHTNESS = 0.6
"""Limbs are darker than joints by this factor. Source: the same."""
THICKNESS = 4
"""Half of a limb's width, and a joint's radius, in pixels of a picture 512 high. Source: the same, which
draws at 512; at other heights it grows alike (Ours)."""


def draw_pose(pose: Pose | None, size: tuple[int, int]) -> Image.Image:
    """A stick figure in OpenPose's colours on black, RGB.

    Args:
        pose: in pixels of the picture; None draws nobody.
        size: (height, width) of the picture.
    """
    canvas = np.zeros((*size, 3), np.uint8)
    if pose is not None:
        thick = max(1, round(THICKNESS * size[0] / 512))
        for (start, end), colour in zip(LIMBS, COLOURS, strict=False):
            if pose.found(start, end):
                _draw_limb(canvas, pose.point(start), pose.point(end), colour, thick)
        canvas[:] = (canvas * LIMB_BRIGHTNESS).round().astype(np.uint8)
        for (x, y, confidence), colour in zip(pose.keypoints, COLOURS, strict=True):
            if confidence > 0:
                cv2.circle(canvas, (round(float(x)), round(float(y))), thick, colour, -1)
    return Image.fromarray(canvas)


def _draw_limb(
    canvas: UInt8[np.ndarray, "H W 3"],
    start: np.ndarray,
    end: np.ndarray,
    colour: tuple[int, int, int],
    thick: int,
) -> None:
    """A filled ellipse from joint to joint."""
    middle, along = (start + end) / 2, end - start
    length = float(np.hypot(*along))
    angle = int(np.degrees(np.arctan2(along[1], along[0])))
    centre = round(float(middle[0])), round(float(middle[1]))
    outline = np.asarray(cv2.ellipse2Poly(centre, (round(length / 2), thick), angle, 0, 360, 1), np.int32)
    cv2.fillConvexPoly(canvas, outline, colour)
