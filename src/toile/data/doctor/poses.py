"""What a pose file tells about itself: OpenPose's JSON, and DressCode's."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

BYTE_LIMIT = 4 * 1024**2
"""Ours: a pose file is a few kilobytes; a larger file is none."""
POINTS = {"pose_keypoints_2d": (25, 18), "pose_keypoints": (18, 25)}
"""OpenPose's keys, today's and that of version 1.0, with the numbers of points of BODY_25 and COCO-18."""
MARGIN = 0.05
"""Ours: a joint this share of a side outside of the picture is still within it."""


def pose_oddities(data: bytes, size: tuple[int, int] | None) -> Iterator[tuple[str, str]]:
    """Codes and details of what a pose file shows.

    Args:
        data: the file's content.
        size: (width, height) that its joints lie in; None when unknown.
    """
    try:
        people = _people(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield "pose-damaged", " ".join(str(error).split())[:200] or type(error).__name__
        return
    found = [points[points[:, 2] > 0] for points in people]
    if not any(len(points) for points in found):
        yield "pose-without-people", "no joint was found" if people else "the list of people is empty"
        return
    if len(people) > 1:
        yield "pose-several-people", f"{len(people)} people"
    first = next(points for points in found if len(points))
    if size is not None:
        share = _outside(first[:, :2], size)
        if share > 0.5:
            yield "pose-outside", f"{share:.0%} of the joints, in a picture of {size[0]}×{size[1]}"
        elif len(first) > 2 and first[:, :2].max() <= 1:
            yield "pose-outside", "the joints are given in shares of the picture, not in pixels"


def _people(data: bytes) -> list[np.ndarray]:
    """One array (points, 3) of x, y and confidence for each person."""
    if len(data) > BYTE_LIMIT:
        raise ValueError(f"{len(data):,} bytes are too many for a pose")
    content: Any = json.loads(data)
    if "keypoints" in content:  # DressCode: 18 rows of x, y, score, number
        rows = np.asarray(content["keypoints"], np.float64)
        if rows.shape != (18, 4):
            raise ValueError(f"keypoints of shape {rows.shape} instead of (18, 4)")
        return [_finite(rows[:, :3])]
    return [_openpose(person) for person in content["people"]]


def _openpose(person: Any) -> np.ndarray:
    key = next((key for key in POINTS if key in person), None)
    if key is None:
        raise ValueError(f"a person without {' or '.join(POINTS)}")
    numbers = np.asarray(person[key], np.float64)
    if numbers.shape not in {(points * 3,) for points in POINTS[key]}:
        raise ValueError(f"{key} holds {numbers.size} numbers instead of 75 or 54")
    return _finite(numbers.reshape(-1, 3))


def _finite(points: np.ndarray) -> np.ndarray:
    if not np.isfinite(points).all():
        raise ValueError("a joint is not a number")
    return points


def _outside(points: np.ndarray, size: tuple[int, int]) -> float:
    """The share of joints outside of a picture of (width, height)."""
    sides = np.asarray(size, np.float64)
    within = (points >= -MARGIN * sides) & (points <= (1 + MARGIN) * sides)
    return float((~within.all(axis=1)).mean())
