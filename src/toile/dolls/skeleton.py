"""The posed body: joints, limb curves and the map that bends a flat torso onto the body.

All coordinates are body units (1 is the height of the body, y down from the crown, x = 0 the middle).
"""

import math
from dataclasses import dataclass

import numpy as np

from toile.dolls.noise import cosine, sine
from toile.dolls.scene import Arm, Look, Pose

Points = np.ndarray
NECK_Y, HIP_Y = 0.170, 0.500
UPPER_ARM, FOREARM = 0.160, 0.145
THIGH, SHIN = 0.222, 0.218
SIDES = {"right": -1.0, "left": 1.0}

BODY_PROFILE = (
    (0.174, 0.184, 0.194, 0.210, 0.25, 0.33, 0.39, 0.44, 0.50, 0.53),
    (0.052, 0.080, 0.096, 0.102, 0.092, 0.083, 0.077, 0.086, 0.096, 0.097),
)


def direction(degrees: float, side: float) -> tuple[float, float]:
    """Unit vector of a limb: 0 is straight down, positive outwards on that side of the body."""
    radians = math.radians(degrees)
    return side * math.sin(radians), math.cos(radians)


class LimbCurve:
    """A limb's middle line through three joints, rounded at the middle one, by distance from the first."""

    def __init__(self, joints: Points, side: float, rounding: float) -> None:
        """Builds the curve; `rounding` is how far from the middle joint the bend starts."""
        first, middle, last = joints
        entry = middle + _unit(first - middle) * rounding
        leave = middle + _unit(last - middle) * rounding
        share = np.linspace(0.0, 1.0, 9)[:, None]
        bend = (1 - share) ** 2 * entry + 2 * share * (1 - share) * middle + share**2 * leave
        beyond = last + _unit(last - leave) * 0.12
        self.points = np.concatenate([first[None], bend, last[None], beyond[None]])
        steps = np.diff(self.points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        self.distances = np.concatenate([[0.0], np.cumsum(lengths)])
        tangents = steps / lengths[:, None]
        self._mids = (self.distances[:-1] + self.distances[1:]) / 2
        self._normals = side * np.stack([tangents[:, 1], -tangents[:, 0]], axis=1)

    def at(self, distance: np.ndarray) -> tuple[Points, Points]:
        """Points at these distances from the first joint, and the unit vectors that point outwards there."""
        distance = np.asarray(distance, dtype=np.float64)
        point = np.stack(
            [np.interp(distance, self.distances, self.points[:, axis]) for axis in (0, 1)], axis=-1
        )
        normal = np.stack(
            [np.interp(distance, self._mids, self._normals[:, axis]) for axis in (0, 1)], axis=-1
        )
        return point, normal / np.hypot(normal[..., :1], normal[..., 1:])


@dataclass(frozen=True, kw_only=True)
class HeadFrame:
    """Where the head is: its centre, its axes and half its height."""

    centre: Points
    """Middle of the head."""
    right: Points
    """Unit vector from the face's middle to the picture's right."""
    down: Points
    """Unit vector from the crown to the chin."""
    unit: float
    """Half the height of the head."""

    def place(self, points: Points) -> Points:
        """Maps points of the head (units of half its height, origin in its middle) to body units."""
        points = np.asarray(points, dtype=np.float64)
        return np.asarray(
            self.centre + (points[..., :1] * self.right + points[..., 1:] * self.down) * self.unit
        )


class Skeleton:
    """A person's posed body."""

    def __init__(self, pose: Pose, look: Look) -> None:
        """Poses the standard body with this person's proportions."""
        self.pose, self.look = pose, look
        lean = math.radians(pose.lean)
        self.hips = np.array([pose.hip_shift, HIP_Y])
        self.neck = self.hips + (HIP_Y - NECK_Y) * np.array([math.sin(lean), -math.cos(lean)])
        self.arms = {name: self._arm(getattr(pose, name), side) for name, side in SIDES.items()}
        self.legs = {name: self._leg(index, side) for index, (name, side) in enumerate(SIDES.items())}
        self.head = self._head()

    def torso(self, x: np.ndarray, y: np.ndarray) -> Points:
        """Maps points of the standard torso (and of what hangs below it) to the posed body."""
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        share = (y - NECK_Y) / (HIP_Y - NECK_Y)
        inside = np.clip(share, 0.0, 1.0)
        spine = self.neck + (self.hips - self.neck) * np.minimum(share, 1.0)[..., None]
        below = np.maximum(y - HIP_Y, 0.0)
        fade = np.clip(1.0 - below / 0.3, 0.0, 1.0)
        degrees = self.pose.shoulder_tilt * (1 - inside) + self.pose.hip_tilt * inside * fade
        tilt = np.asarray(np.radians(degrees))
        look = self.look
        chest = (look.shoulders * 2 + look.waist) / 3
        width = x * np.interp(
            y, (0.18, 0.26, 0.39, 0.50, 0.70), (look.shoulders, chest, look.waist, look.hips, 1.0)
        )
        across = np.stack([cosine(tilt), sine(tilt)], axis=-1)
        down = np.stack([np.zeros_like(below), below], axis=-1)
        return np.asarray(spine + down + width[..., None] * across)

    def joints(self) -> Points:
        """The COCO-18 joints, (18, 2)."""
        face = [(0.10 * self.pose.gaze, 0.18)]
        eyes = [(-0.28 + 0.1 * self.pose.gaze, -0.04), (0.28 + 0.1 * self.pose.gaze, -0.04)]
        ears = [(-0.72, 0.05), (0.72, 0.05)]
        head = self.head.place(np.array(face + eyes + ears))
        neck = self.torso(np.array(0.0), np.array(0.190))
        arms = [self.arm_joints[name] for name in ("right", "left")]
        legs = [self.leg_joints[name] for name in ("right", "left")]
        body = [*arms[0], *arms[1], *legs[0], *legs[1]]
        return np.stack([head[0], neck, *body, *head[1:]])

    @property
    def arm_joints(self) -> dict[str, Points]:
        """Shoulder, elbow and wrist of each arm."""
        return self._arm_joints

    @property
    def leg_joints(self) -> dict[str, Points]:
        """Hip, knee and ankle of each leg."""
        return self._leg_joints

    def _arm(self, arm: Arm, side: float) -> LimbCurve:
        lift = 0.010 * max(0.0, min(1.0, (arm.upper - 40) / 80))
        shoulder = self.torso(np.array(side * 0.092), np.array(0.204 - lift))
        elbow = shoulder + UPPER_ARM * np.array(direction(arm.upper, side))
        foreshortened = FOREARM * (0.92 if arm.layer == "front" else 1.0)
        wrist = elbow + foreshortened * np.array(direction(arm.fore, side))
        joints = np.stack([shoulder, elbow, wrist])
        self._arm_joints = {**getattr(self, "_arm_joints", {}), _name(side): joints}
        return LimbCurve(joints, side, rounding=0.034)

    def _leg(self, index: int, side: float) -> LimbCurve:
        hip = self.torso(np.array(side * 0.052), np.array(0.510))
        knee = hip + THIGH * np.array(direction(self.pose.thighs[index], side))
        ankle = knee + SHIN * np.array(direction(self.pose.shins[index], side))
        joints = np.stack([hip, knee, ankle])
        self._leg_joints = {**getattr(self, "_leg_joints", {}), _name(side): joints}
        return LimbCurve(joints, side, rounding=0.05)

    def _head(self) -> HeadFrame:
        angle = math.radians(self.pose.head_tilt)
        down = np.array([-math.sin(angle), math.cos(angle)])
        right = np.array([math.cos(angle), math.sin(angle)])
        return HeadFrame(
            centre=self.neck + np.array([0.0, 0.004]) - down * 0.090, right=right, down=down, unit=0.074
        )


def arm_radius(distance: np.ndarray, stout: float) -> np.ndarray:
    """Half the thickness of a bare arm at this distance from the shoulder."""
    radii = np.interp(distance, (0.0, 0.05, 0.16, 0.20, 0.305), (0.030, 0.0285, 0.0225, 0.023, 0.0155))
    return np.asarray(stout * radii)


def leg_radius(distance: np.ndarray, stout: float) -> np.ndarray:
    """Half the thickness of a bare leg at this distance from the hip joint."""
    radii = np.interp(distance, (0.0, 0.06, 0.22, 0.29, 0.43), (0.050, 0.050, 0.033, 0.0345, 0.019))
    return np.asarray(stout * radii)


def _unit(vector: Points) -> Points:
    return vector / math.hypot(*vector)


def _name(side: float) -> str:
    return "right" if side < 0 else "left"
