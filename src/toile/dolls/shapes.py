"""Small pieces that cuts are put together from: curves, sleeves, trims, necklines; all in body units."""

import math
from dataclasses import dataclass

import numpy as np

from toile.dolls.outfit import GarmentSpec

Points = np.ndarray
Line = list[tuple[float, float]]

NECKS = {  # half width, depth in front, depth behind
    "crew": (0.043, 0.030, 0.010),
    "v": (0.044, 0.072, 0.010),
    "scoop": (0.058, 0.066, 0.014),
    "collar": (0.040, 0.042, 0.004),
    "turtle": (0.040, 0.0, 0.0),
    "hood": (0.046, 0.050, 0.0),
    "strap": (0.048, 0.060, 0.030),
}
SHOULDER_Y = 0.164


@dataclass(frozen=True, kw_only=True)
class Trim:
    """A small thing drawn on the garment: a seam, a pocket, a button, a collar."""

    points: Points
    """Polygon, or line if `width` is given, in body units."""
    width: float = 0.0
    """Thickness of a line, 0 for a filled polygon."""
    tone: float = 0.72
    """Brightness relative to what is below, or to `colour`."""
    colour: int = -1
    """Index of the texture's colour, -1 to darken what is below."""


@dataclass(frozen=True, kw_only=True)
class Sleeve:
    """A sleeve between the armhole's ends and the cuff's ends, for the side x > 0."""

    shoulder: tuple[float, float]
    """Upper end of the armhole."""
    armpit: tuple[float, float]
    """Lower end of the armhole."""
    cuff_outer: tuple[float, float]
    """Outer end of the cuff."""
    cuff_inner: tuple[float, float]
    """Inner end of the cuff."""
    length: float
    """From the armhole to the cuff."""


def bezier(
    start: tuple[float, float], control: tuple[float, float], end: tuple[float, float], count: int = 8
) -> list[tuple[float, float]]:
    """Points of a quadratic Bezier curve, both ends included."""
    out = []
    for index in range(count + 1):
        t = index / count
        weights = ((1 - t) ** 2, 2 * t * (1 - t), t * t)
        out.append(
            (
                weights[0] * start[0] + weights[1] * control[0] + weights[2] * end[0],
                weights[0] * start[1] + weights[1] * control[1] + weights[2] * end[1],
            )
        )
    return out


def mirrored(half: list[tuple[float, float]]) -> Points:
    """Closed outline from its right half, listed from the top middle to the bottom middle."""
    return np.array(half + [(-x, y) for x, y in reversed(half)])


def between(
    first: tuple[float, float], second: tuple[float, float], share: float, lower: float = 0.0
) -> tuple[float, float]:
    """The point at a share of the way from the first to the second, moved down by `lower`."""
    return first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share + lower


def seam(line: Line, width: float, tone: float, colour: int = -1) -> Trim:
    """A line on the garment."""
    return Trim(points=np.array(line), width=width, tone=tone, colour=colour)


def patch(polygon: Line, tone: float, colour: int = -1) -> Trim:
    """A filled polygon on the garment."""
    return Trim(points=np.array(polygon), tone=tone, colour=colour)


def both(points: Line, *, width: float = 0.0, tone: float = 0.72, colour: int = -1) -> list[Trim]:
    """A line (or, with width 0, a polygon) and its mirror image, x < 0 first."""
    mirrors = [np.array([(side * x, y) for x, y in points]) for side in (-1.0, 1.0)]
    return [Trim(points=mirror, width=width, tone=tone, colour=colour) for mirror in mirrors]


def disk(centre: tuple[float, float], radius: float, colour: int, tone: float) -> Trim:
    """A filled circle."""
    angles = [2 * math.pi * index / 14 for index in range(14)]
    points = np.array([(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles])
    return Trim(points=points, tone=tone, colour=colour)


def neck_front(spec: GarmentSpec) -> list[tuple[float, float]]:
    """Front neckline from the left shoulder (x < 0) to the right one."""
    width, depth, _ = NECKS[spec.neckline]
    if spec.neckline in ("v", "collar", "hood"):
        right = bezier(
            (0.0, SHOULDER_Y + depth), (width * 0.62, SHOULDER_Y + depth * 0.55), (width, SHOULDER_Y)
        )
    else:
        right = bezier((0.0, SHOULDER_Y + depth), (width * 0.98, SHOULDER_Y + depth), (width, SHOULDER_Y))
    return [(-x, y) for x, y in reversed(right)] + right[1:]
