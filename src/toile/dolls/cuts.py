"""Flat outlines of garments, in body units: what a pattern cutter would draw.

The garment lies symmetric about x = 0. Its outline holds everything that is seen when it lies flat; `inside`
is the part of it that shows the inner back (behind the neckline), which the neck hides when it is worn.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from toile.dolls.outfit import GarmentSpec
from toile.dolls.shapes import (
    NECKS,
    SHOULDER_Y,
    Points,
    Sleeve,
    Trim,
    between,
    bezier,
    disk,
    mirrored,
    neck_front,
)
from toile.dolls.trims import lower_trims, top_trims


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The flat shape of a garment."""

    outline: Points
    """Closed outline, both halves."""
    inside: Points | None
    """Polygon of the visible inner back, if any."""
    sides: tuple[tuple[float, ...], tuple[float, ...]]
    """Heights y and half widths of the main panel (the torso, or a skirt)."""
    sleeve: Sleeve | None = None
    """The sleeve for x > 0; the other is its mirror image."""
    inseam: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """For trousers: heights y and inner x of a leg."""
    trims: tuple[Trim, ...] = field(default=())
    """Everything drawn on top."""


def build_cut(spec: GarmentSpec) -> Cut:
    """The flat shape of the garment `spec`."""
    if spec.category == "hat":
        return _hat(spec)
    if spec.cut in ("trousers", "shorts"):
        return _trousers(spec)
    if spec.cut == "skirt":
        return _skirt(spec)
    return _top(spec)


def _neck_top(spec: GarmentSpec) -> list[tuple[float, float]]:
    """Upper edge of the flat garment from the top middle to the right neck point."""
    width, _, back = NECKS[spec.neckline]
    if spec.neckline == "hood":
        return [
            *bezier((0.0, 0.078), (0.052, 0.078), (0.074, 0.116)),
            *bezier((0.078, 0.126), (0.084, 0.152), (0.062, 0.170)),
        ]
    if spec.neckline == "turtle":
        return [
            (0.0, 0.146),
            (0.034, 0.147),
            (0.036, 0.158),
            *bezier((0.038, 0.163), (0.040, 0.166), (0.048, 0.168), 3),
        ]
    if spec.neckline == "collar":
        return [*bezier((0.0, 0.152), (0.028, 0.152), (0.036, 0.158), 4), (0.046, 0.164)]
    return bezier((0.0, SHOULDER_Y + back), (width * 0.8, SHOULDER_Y + back), (width, SHOULDER_Y), 6)


def _inside(spec: GarmentSpec) -> Points | None:
    if spec.neckline == "turtle":
        return None
    if spec.neckline == "hood":
        rim = [
            *bezier((0.0, 0.092), (0.040, 0.092), (0.056, 0.124)),
            *bezier((0.057, 0.134), (0.056, 0.152), (0.046, 0.164), 4),
        ]
    else:
        rim = _neck_top(spec)
    return np.array(neck_front(spec) + [(x, y) for x, y in reversed(rim)] + [(-x, y) for x, y in rim[1:]])


def _side_profile(spec: GarmentSpec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    ease, hem = spec.ease, spec.hem
    if spec.category == "dress":
        widths = (0.102 + ease, 0.084 + ease, 0.106 + ease + 0.35 * spec.flare, 0.116 + spec.flare)
        return (0.270, 0.385, 0.50, hem), widths
    waist = 0.092 + 1.1 * ease if spec.fit != "loose" else 0.104 + ease
    heights, widths = (0.270, 0.385, 0.50, 0.60), (0.102 + ease, waist, 0.107 + ease, 0.108 + ease)
    kept = [(y, x) for y, x in zip(heights, widths, strict=True) if y < hem - 0.02]
    end = float(np.interp(hem, heights, widths)) + spec.flare
    return (*(y for y, _ in kept), hem), (*(x for _, x in kept), end)


def _top(spec: GarmentSpec) -> Cut:
    """Shirts, hoodies, jackets and dresses: a body with or without sleeves."""
    heights, widths = _side_profile(spec)
    armpit = (widths[0], 0.270 + 0.35 * spec.ease)
    strap = spec.neckline == "strap"
    tip = (0.074, SHOULDER_Y + 0.004) if strap else (0.106 + 0.40 * spec.ease, 0.190)
    half = _neck_top(spec)
    sleeve = None
    if spec.sleeve == "sleeveless":
        half += bezier(tip, (0.078, 0.250), armpit)
    else:
        sleeve = _sleeve(spec, tip, armpit)
        half += [
            tip,
            *bezier(
                sleeve.cuff_outer,
                between(sleeve.cuff_outer, sleeve.cuff_inner, 0.5, 0.003),
                sleeve.cuff_inner,
                4,
            ),
            armpit,
        ]
    half += _smooth_side(heights, widths)
    rounding = 0.016 if spec.cut == "shirt" else 0.004
    half += bezier(
        (widths[-1] - 0.004, heights[-1]),
        (widths[-1] * 0.6, heights[-1] + rounding),
        (0.0, heights[-1] + rounding * 0.6),
        6,
    )
    top = (0.15, SHOULDER_Y + 0.006, tip[1])
    armhole = (tip[0], tip[0] if not strap else 0.086, tip[0])
    panel = ((0.06, *top[1:], *heights), (0.10, *armhole[1:], *widths))
    return Cut(
        outline=mirrored(half),
        inside=_inside(spec),
        sides=panel,
        sleeve=sleeve,
        trims=tuple(top_trims(spec, heights, widths, sleeve)),
    )


def _smooth_side(heights: tuple[float, ...], widths: tuple[float, ...]) -> list[tuple[float, float]]:
    """Side seam from the armpit to the hem, rounded where it changes direction."""
    points = list(zip(widths, heights, strict=True))
    out: list[tuple[float, float]] = []
    for index in range(1, len(points) - 1):
        before, here, after = points[index - 1], points[index], points[index + 1]
        out += bezier(between(before, here, 0.55), here, between(here, after, 0.45), 4)
    return [*out, points[-1]]


def _sleeve(spec: GarmentSpec, tip: tuple[float, float], armpit: tuple[float, float]) -> Sleeve:
    angle = math.radians(spec.sleeve_angle)
    along = (math.sin(angle), math.cos(angle))
    across = (math.cos(angle), -math.sin(angle))
    half = {"short": 0.043, "elbow": 0.037, "long": 0.026}[spec.sleeve] + 0.35 * spec.ease
    middle = between(tip, armpit, 0.5)
    middle = (middle[0] + 0.012, middle[1] - 0.010)
    end = (middle[0] + along[0] * spec.sleeve_length, middle[1] + along[1] * spec.sleeve_length)
    return Sleeve(
        shoulder=tip,
        armpit=armpit,
        cuff_outer=(end[0] + across[0] * half, end[1] + across[1] * half),
        cuff_inner=(end[0] - across[0] * half, end[1] - across[1] * half),
        length=spec.sleeve_length,
    )


def _trousers(spec: GarmentSpec) -> Cut:
    ease, hem = spec.ease, spec.hem
    spread = 0.060 + 0.5 * ease + (0.012 if spec.cut == "trousers" else 0.004)
    knee, cuff = 0.041 + 0.95 * ease, 0.034 + 1.1 * ease + spec.flare
    heights = (0.398, 0.50, 0.57, 0.73, 0.95)
    outer = (0.084 + 0.3 * ease, 0.109 + 0.8 * ease, 0.114 + ease, spread + knee, spread + 0.008 + cuff)
    inner = (0.0, 0.0, 0.004, spread - knee, spread + 0.008 - cuff)
    rows = [(y, o, i) for y, o, i in zip(heights, outer, inner, strict=True) if y < hem - 0.01]
    flare = spec.flare if spec.cut == "shorts" else 0.0
    end = (
        hem,
        float(np.interp(hem, heights, outer)) + flare,
        max(0.004, float(np.interp(hem, heights, inner)) - flare),
    )
    rows.append(end)
    ys, outs, ins = zip(*rows, strict=True)
    half = [(0.0, 0.404), (outs[0] - 0.01, 0.399), (outs[0], 0.400)]
    half += _smooth_side(ys, outs)
    half += [(ins[-1], hem + 0.002)]
    half += [(x, y) for y, x in zip(reversed(ys), reversed(ins), strict=True) if 0.57 < y < hem - 0.01]
    half += bezier((0.006, 0.580), (0.004, 0.562), (0.0, 0.560), 4)
    return Cut(
        outline=mirrored(half),
        inside=None,
        sides=(ys, outs),
        inseam=(ys, ins),
        trims=tuple(lower_trims(spec, outs, ins)),
    )


def _skirt(spec: GarmentSpec) -> Cut:
    hem = spec.hem
    heights = (0.398, 0.50, hem)
    widths = (
        0.084 + 0.3 * spec.ease,
        0.112 + 0.6 * spec.ease + 0.3 * spec.flare,
        0.114 + spec.ease + spec.flare,
    )
    half = [(0.0, 0.404), (widths[0] - 0.01, 0.399), (widths[0], 0.400), *_smooth_side(heights, widths)]
    sag = 0.010 + 0.10 * spec.flare
    half += bezier((widths[-1] - 0.003, hem), (widths[-1] * 0.5, hem + sag), (0.0, hem + sag), 6)
    trims = lower_trims(spec, widths, (0.0,))
    return Cut(outline=mirrored(half), inside=None, sides=(heights, widths), trims=tuple(trims))


def _hat(spec: GarmentSpec) -> Cut:
    """Hats: x = 0 is the middle of the head, y = 0 the rim on the forehead, upwards negative."""
    trims: list[Trim] = []
    if spec.cut == "beanie":
        half = [
            *bezier((0.0, -0.074), (0.056, -0.070), (0.060, -0.004), 10),
            (0.060, 0.020),
            *bezier((0.058, 0.026), (0.03, 0.032), (0.0, 0.032), 5),
        ]
        trims.append(
            Trim(points=np.array([(-0.07, 0.004), (0.07, 0.004), (0.07, 0.04), (-0.07, 0.04)]), tone=0.86)
        )
        trims.append(Trim(points=np.array([(-0.07, 0.004), (0.07, 0.004)]), width=0.003, tone=0.64))
        for share in (-0.66, -0.33, 0.0, 0.33, 0.66):
            trims.append(
                Trim(points=np.array([(share * 0.06, 0.006), (share * 0.058, 0.034)]), width=0.003, tone=0.74)
            )
    elif spec.cut == "cap":
        half = [
            *bezier((0.0, -0.062), (0.056, -0.060), (0.060, 0.006), 10),
            *bezier((0.066, 0.014), (0.068, 0.034), (0.0, 0.034), 8),
        ]
        trims.append(
            Trim(
                points=np.array(
                    [*bezier((-0.07, 0.012), (0.0, -0.006), (0.07, 0.012)), (0.07, 0.05), (-0.07, 0.05)]
                ),
                tone=0.9,
                colour=1,
            )
        )
        trims.append(
            Trim(points=np.array(bezier((-0.06, 0.009), (0.0, -0.006), (0.06, 0.009))), width=0.003, tone=0.6)
        )
        trims.append(disk((0.0, -0.062), 0.006, 1, 0.9))
    else:
        half = [
            *bezier((0.0, -0.060), (0.052, -0.060), (0.056, -0.004), 8),
            *bezier((0.062, -0.002), (0.104, 0.006), (0.108, 0.020), 6),
            *bezier((0.104, 0.028), (0.05, 0.034), (0.0, 0.034), 6),
        ]
        band = bezier((-0.058, -0.006), (0.0, 0.008), (0.058, -0.006))
        trims.append(
            Trim(
                points=np.array(
                    [*band, (0.058, -0.022), *bezier((0.056, -0.022), (0.0, -0.008), (-0.056, -0.022))]
                ),
                tone=1.0,
                colour=2,
            )
        )
    edge = max(x for x, _ in half)
    low = max(y for _, y in half)
    heights, widths = (-0.09, low + 0.006), (edge + 0.004, edge + 0.004)
    return Cut(outline=mirrored(half), inside=None, sides=(heights, widths), trims=tuple(trims))
