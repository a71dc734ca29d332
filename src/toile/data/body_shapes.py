"""Where a body is, drawn from its joints: torso, arms and legs as rounded shapes.

Every length is a share of the shoulders' width, so that a mask is the same at each size of a photo. Published
scripts draw agnostic pictures from such shapes: with r = width / 16, arms are lines 10 r wide, the hips are
moved apart to the shoulders' width, and the neck is a square of 14 r (sangyun884/HR-VITON, its issue 45); for
DressCode, legs are lines 20 r wide. The shares here are near those, less the dilation that comes on top of
them (`toile.data.agnostic`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from toile.data.pose import JOINTS, Pose

Point = Float64[np.ndarray, "2"]

ARM, SIDE, NECK, LEG = 0.19, 0.10, 0.30, 0.34
"""Half the widths of an arm, of the torso beyond its joints, of the neck's square, and of a leg."""
HEM = 0.18
"""How far the torso reaches below the hips; a waist lies `WAIST` above them."""
WAIST = 0.5
TORSO, THIGH, SHIN, HIPS = 1.74, 1.20, 1.18, 0.57
"""Usual lengths of what a photo may not show: neck to hips, hip to knee, knee to ankle, hip to hip."""
LEAST_WIDTH = 0.5
"""Shoulders are at least this share of the torso's length: seen from the side they shrink to nothing."""
SIDES = ("right", "left")
ARM_JOINTS, LEG_JOINTS = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")


@dataclass(frozen=True, kw_only=True, eq=False)
class Body:
    """Joints with the missing ones filled in, as far as the others tell where they are."""

    joints: Mapping[str, Point]
    """x, y in pixels by name; wrists, elbows and ears may be missing, shoulders and hips never are."""
    width: float
    """The shoulders' width in pixels, the unit of every other length."""


def body_of(pose: Pose | None) -> Body | None:
    """Fill in the joints that the torso and the legs need; None when the pose shows too little of a body."""
    if pose is None:
        return None
    joints = {name: pose.point(name).astype(np.float64) for name in JOINTS if pose.found(name)}
    if not _fill_torso(joints):
        return None
    width = _width(joints)
    for side in SIDES:
        hip = joints[f"{side} hip"]
        knee = joints.setdefault(f"{side} knee", hip + _down(THIGH * width))
        joints.setdefault(f"{side} ankle", knee + _down(SHIN * width))
    return Body(joints=joints, width=width)


def _fill_torso(joints: dict[str, Point]) -> bool:
    """Fill in shoulders and hips; whether that could be done."""
    shoulders = _pair(joints, "shoulder", joints.get("neck"), 1.0)
    hips = _pair(joints, "hip", None, HIPS)
    if shoulders is None and hips is None:
        return False
    if shoulders is None:
        assert hips is not None
        apart = (hips[1] - hips[0]) / HIPS
        middle = hips.mean(axis=0) - _down(TORSO * abs(apart[0]))
        shoulders = np.stack([middle - apart / 2, middle + apart / 2])
    if hips is None:
        apart = (shoulders[1] - shoulders[0]) * HIPS
        middle = shoulders.mean(axis=0) + _down(TORSO * np.hypot(*(shoulders[1] - shoulders[0])))
        hips = np.stack([middle - apart / 2, middle + apart / 2])
    for number, side in enumerate(SIDES):
        joints[f"{side} shoulder"], joints[f"{side} hip"] = shoulders[number], hips[number]
    joints.setdefault("neck", shoulders.mean(axis=0))
    return True


def _pair(
    joints: Mapping[str, Point], name: str, middle: Point | None, width: float
) -> Float64[np.ndarray, "2 2"] | None:
    """Right and left joint; one alone is mirrored at the middle between them, where that is known."""
    found = [joints.get(f"{side} {name}") for side in SIDES]
    right, left = found
    if right is not None and left is not None:
        return np.stack([right, left])
    one = left if right is None else right
    if one is None or middle is None:
        return None
    other = 2 * middle - one
    return np.stack([other, one] if right is None else [one, other])


def _width(joints: Mapping[str, Point]) -> float:
    across = joints["left shoulder"] - joints["right shoulder"]
    hips = (joints["left hip"] + joints["right hip"]) / 2
    return max(float(np.hypot(*across)), LEAST_WIDTH * float(np.hypot(*(hips - joints["neck"]))), 1.0)


def draw_torso(canvas: UInt8[np.ndarray, "H W"], body: Body, hem: float = HEM) -> None:
    """Shoulders, neck, and the torso down to `hem` below hips that are as wide as the shoulders."""
    shoulders = np.stack([body.joints[f"{side} shoulder"] for side in SIDES])
    hips = _wide_hips(body) + _down((hem - SIDE) * body.width)
    outline = np.stack([shoulders[0], shoulders[1], hips[1], hips[0]])
    _polygon(canvas, outline, SIDE * body.width)
    _line(canvas, shoulders, ARM * body.width)
    neck, half = body.joints["neck"], NECK * body.width
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    _polygon(canvas, neck + corners, 0.0)


def draw_arms(canvas: UInt8[np.ndarray, "H W"], body: Body) -> None:
    """The arms from the shoulders to the wrists, as far as they were found."""
    for side in SIDES:
        names = [f"{side} {joint}" for joint in ARM_JOINTS]
        for first, second in pairwise(names):
            if first in body.joints and second in body.joints:
                _line(canvas, np.stack([body.joints[first], body.joints[second]]), ARM * body.width)


def draw_legs(canvas: UInt8[np.ndarray, "H W"], body: Body, radius: float = LEG) -> None:
    """From the waist to the ankles, and what lies between the legs, where a skirt would be.

    `radius` is half the width of a leg, as a share of the shoulders' width.
    """
    hips, width = _wide_hips(body), body.width
    _polygon(canvas, np.concatenate([hips - _down(WAIST * width), hips[::-1]]), SIDE * width)
    levels = [np.stack([body.joints[f"{side} {joint}"] for side in SIDES]) for joint in LEG_JOINTS]
    for upper, lower in pairwise(levels):
        _polygon(canvas, np.concatenate([upper, lower[::-1]]), 0.0)
    levels[2] = (
        levels[2] + (levels[1] - levels[2]) * _shortened(levels[2] - levels[1], radius * width)[:, None]
    )
    for upper, lower in pairwise(levels):
        for number in range(len(SIDES)):
            _line(canvas, np.stack([upper[number], lower[number]]), radius * width)


def _down(distance: float) -> Point:
    return np.array([0.0, distance])


def _wide_hips(body: Body) -> Float64[np.ndarray, "2 2"]:
    """The hips, moved apart to the shoulders' width."""
    hips = np.stack([body.joints[f"{side} hip"] for side in SIDES])
    apart = hips[1] - hips[0]
    return np.asarray(
        hips.mean(axis=0) + np.outer((-0.5, 0.5), apart / max(np.hypot(*apart), 1.0)) * body.width
    )


def _shortened(limbs: Float64[np.ndarray, "2 2"], end: float) -> Float64[np.ndarray, "2"]:
    """The share to take off each limb, so that its rounded end reaches to its last joint and no further."""
    return np.asarray(np.minimum(end / np.maximum(np.hypot(limbs[:, 0], limbs[:, 1]), 1.0), 1.0))


def _polygon(canvas: np.ndarray, corners: np.ndarray, margin: float) -> None:
    """Fill a convex polygon, grown by a margin with round corners."""
    hull = cv2.convexHull(corners.round().astype(np.int32))
    cv2.fillConvexPoly(canvas, hull, 255)
    if margin >= 0.5:
        cv2.polylines(canvas, [hull], isClosed=True, color=255, thickness=round(2 * margin))


def _line(canvas: np.ndarray, ends: np.ndarray, radius: float) -> None:
    """Draw a line with round ends."""
    first, last = (tuple(int(value) for value in point) for point in ends.round())
    cv2.line(canvas, first, last, 255, thickness=max(1, round(2 * radius)))
