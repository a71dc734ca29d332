"""Head, face and hair, in head units: half the head's height is 1, the crown at y = -1, the chin at y = 1."""

import math

import numpy as np

from toile.dolls.glyphs import ellipse, stroke_polygons
from toile.dolls.painter import FACE, HAIR, Painter
from toile.dolls.palette import HAIRS, RGB
from toile.dolls.shapes import bezier
from toile.dolls.skeleton import SIDES, HeadFrame, Skeleton

Points = np.ndarray
Line = list[tuple[float, float]]


def toned(colour: RGB, *factors: float) -> RGB:
    """A colour with each channel multiplied (one factor for all, or three)."""
    parts = [min(255, int(part * factors[i % len(factors)])) for i, part in enumerate(colour)]
    return parts[0], parts[1], parts[2]


def head_shape() -> Points:
    """Outline of the face, from crown to chin."""
    points = []
    for index in range(40):
        angle = 2 * math.pi * index / 40
        x, y = math.cos(angle), math.sin(angle)
        points.append((0.72 * x * (1 - 0.26 * max(0.0, y) ** 2.2), y))
    return np.array(points)


def draw_back_hair(painter: Painter, skeleton: Skeleton) -> None:
    """Hair behind the head and the shoulders."""
    look, head = skeleton.look, skeleton.head
    colour = toned(HAIRS[look.hair_colour], 0.86)
    shapes: list[Points] = []
    if look.hair == "long":
        low = (look.hair_length - head.centre[1]) / head.unit
        half: Line = [
            *bezier((0.0, -1.1), (0.86, -1.12), (0.88, -0.2)),
            *bezier((0.92, 0.4), (1.15, 0.9), (1.08, low * 0.8), 6),
            (0.7, low),
            (0.0, low * 0.92),
        ]
        shapes = [_mirror(half)]
    elif look.hair == "bob":
        half = [
            *bezier((0.0, -1.1), (0.88, -1.12), (0.90, -0.1)),
            *bezier((0.98, 0.4), (1.06, 0.8), (0.86, 1.02), 6),
            (0.5, 1.06),
            (0.0, 0.9),
        ]
        shapes = [_mirror(half)]
    elif look.hair == "curly":
        for index in range(15):
            angle = math.pi * (0.86 + 1.28 * index / 14)
            shapes.append(ellipse((0.80 * math.cos(angle), -0.22 + 0.86 * math.sin(angle)), (0.36, 0.36), 18))
        shapes.append(ellipse((0, -0.25), (0.85, 0.85)))
    elif look.hair == "ponytail":
        side = look.hair_side
        tail: Line = [
            *bezier((side * 0.4, -0.7), (side * 1.5, -0.8), (side * 1.22, 0.9)),
            (side * 1.02, 1.35),
            *bezier((side * 0.9, 0.8), (side * 1.0, -0.1), (side * 0.4, -0.3)),
        ]
        shapes = [np.array(tail)]
    elif look.hair == "bun":
        shapes = [ellipse((0.0, -1.16), (0.40, 0.36))]
    if shapes:
        painter.polygons([head.place(shape) for shape in shapes], colour, HAIR, round_=0.012, depth=0.9)


def draw_head(painter: Painter, skeleton: Skeleton) -> None:
    """Ears, face and features."""
    look, head = skeleton.look, skeleton.head
    ears = [head.place(ellipse((side * 0.71, 0.06), (0.12, 0.19), 16)) for side in SIDES.values()]
    if look.hair not in ("long", "bob", "curly"):
        painter.polygons(ears, toned(look.skin, 0.95, 0.91, 0.90), FACE, round_=0.004, depth=0.6)
    painter.polygons([head.place(head_shape())], look.skin, FACE, round_=0.013, depth=0.85, shadow=0.12)
    _draw_features(painter, skeleton)


def _draw_features(painter: Painter, skeleton: Skeleton) -> None:
    look, head = skeleton.look, skeleton.head
    turn = 0.10 * skeleton.pose.gaze
    blush = tuple(int(s + (b - s) * look.blush) for s, b in zip(look.skin, (226, 96, 92), strict=True))
    for side in SIDES.values():
        cheek = head.place(ellipse((side * 0.40 + turn, 0.34), (0.16, 0.12), 18))
        painter.polygons([cheek], (blush[0], blush[1], blush[2]), None, depth=0.0)
        _draw_eye(painter, head, side, turn, skeleton)
    _draw_nose_and_mouth(painter, head, turn, skeleton)


def _draw_eye(painter: Painter, head: HeadFrame, side: float, turn: float, skeleton: Skeleton) -> None:
    look = skeleton.look
    x, y = side * 0.285 + turn, -0.02
    lid = bezier((x - 0.165, y + 0.03), (x, y - 0.22), (x + 0.165, y + 0.03), 8)
    low = bezier((x + 0.165, y + 0.03), (x, y + 0.17), (x - 0.165, y + 0.03), 8)
    painter.polygons([head.place(np.array(lid + low))], (250, 248, 246), None, depth=0.0)
    iris = (x + 0.03 * skeleton.pose.gaze, y + 0.005)
    painter.polygons([head.place(ellipse(iris, (0.088, 0.100), 18))], look.eyes, None, depth=0.0)
    painter.polygons([head.place(ellipse(iris, (0.046, 0.052), 14))], (22, 18, 22), None, depth=0.0)
    shine = (iris[0] + 0.032 * -math.copysign(1, painter.light.direction[0] * -1), iris[1] - 0.035)
    painter.polygons([head.place(ellipse(shine, (0.024, 0.026), 10))], (255, 255, 255), None, depth=0.0)
    lash = [*lid, (x + 0.165 + 0.035 * max(side, 0), y + 0.01)]
    painter.polygons(
        [head.place(p) for p in stroke_polygons(lash, 0.042 if look.noun == "woman" else 0.034)],
        (44, 32, 32),
        None,
        depth=0.0,
    )
    brow_colour = toned(HAIRS[look.hair_colour], 0.72) if look.hair_colour != "pink" else (120, 80, 70)
    tilt = 0.085 * look.brow * side
    thick = 0.050 if look.noun == "woman" else 0.078
    brow = bezier((x - 0.18, y - 0.245 + tilt), (x, y - 0.36), (x + 0.18, y - 0.245 - tilt), 5)
    painter.polygons([head.place(p) for p in stroke_polygons(brow, thick)], brow_colour, None, depth=0.0)


def _draw_nose_and_mouth(painter: Painter, head: HeadFrame, turn: float, skeleton: Skeleton) -> None:
    look = skeleton.look
    x = turn * 1.3
    dark = toned(look.skin, 0.80, 0.70, 0.66)
    nose = bezier((x - 0.075, 0.27), (x, 0.335), (x + 0.075, 0.27), 5)
    painter.polygons([head.place(p) for p in stroke_polygons(nose, 0.042)], dark, None, depth=0.0)
    smile = look.smile
    wide, up = 0.19 + 0.07 * smile, 0.07 * smile
    upper = bezier((x - wide, 0.56 - up), (x, 0.545 + 0.02 * smile), (x + wide, 0.56 - up), 8)
    lower = bezier((x + wide, 0.56 - up), (x, 0.66 + 0.13 * smile), (x - wide, 0.56 - up), 8)
    painter.polygons([head.place(np.array(upper + lower))], look.lips, None, depth=0.0)
    if smile > 0.6:
        teeth = bezier(
            (x - wide * 0.72, 0.572 - up * 0.6),
            (x, 0.60 + 0.075 * smile),
            (x + wide * 0.72, 0.572 - up * 0.6),
            8,
        )
        painter.polygons([head.place(np.array(teeth))], (252, 250, 248), None, depth=0.0)
    painter.polygons(
        [head.place(p) for p in stroke_polygons(upper, 0.026)], toned(look.lips, 0.66), None, depth=0.0
    )


def draw_front_hair(painter: Painter, skeleton: Skeleton) -> None:
    """The hair over the forehead and beside the face."""
    look, head = skeleton.look, skeleton.head
    if look.hair == "bald":
        return
    colour, side = HAIRS[look.hair_colour], look.hair_side
    down = {"long": 0.62, "bob": 0.66, "ponytail": 0.10, "bun": 0.06, "curly": 0.02}.get(look.hair, -0.12)
    outer_x = 0.84 if look.hair in ("long", "bob") else 0.76
    outer = [
        *bezier((-outer_x, down), (-0.92, -1.14), (0.0, -1.12), 10),
        *bezier((0.0, -1.12), (0.92, -1.14), (outer_x, down), 10),
    ]
    part = (side * 0.26, -0.70 if look.hair != "short" else -0.58)
    inner = [
        *bezier((outer_x - 0.16, down), (0.66, -0.36), part, 8),
        *bezier(part, (-0.66, -0.36), (-outer_x + 0.16, down), 8),
    ]
    painter.polygons(
        [head.place(np.array(outer + inner))], colour, HAIR, round_=0.008, depth=0.9, shadow=0.22
    )
    light = toned(colour, 1.22)
    gloss = bezier((-0.50, -0.72), (-0.1 * side, -0.98), (0.46, -0.74), 7)
    if look.hair != "curly":
        painter.polygons([head.place(p) for p in stroke_polygons(gloss, 0.05)], light, None, depth=0.0)
    else:
        curls = [
            head.place(ellipse((0.14 * index, -0.86 + 0.022 * index * index), (0.17, 0.17), 14))
            for index in range(-4, 5)
        ]
        painter.polygons(curls, colour, HAIR, round_=0.006)


def draw_strands(painter: Painter, skeleton: Skeleton) -> None:
    """Long hair that hangs in front of the chest."""
    look, head = skeleton.look, skeleton.head
    if look.hair != "long":
        return
    low = (look.hair_length - head.centre[1]) / head.unit + 0.25
    for forward, side in zip(look.hair_forward, SIDES.values(), strict=True):
        if not forward:
            continue
        line: Line = [
            *bezier((side * 0.56, 0.15), (side * 0.50, 1.0), (side * 0.44, low * 0.72), 6),
            *bezier((side * 0.50, low), (side * 0.70, low * 1.05), (side * 0.86, low * 0.86), 5),
            *bezier((side * 1.10, low * 0.6), (side * 0.96, 0.9), (side * 0.86, 0.15), 6),
        ]
        colour = HAIRS[look.hair_colour]
        painter.polygons([head.place(np.array(line))], colour, HAIR, round_=0.012, shadow=0.3)
        for offset in (0.60, 0.78):
            strand = bezier(
                (side * offset, 0.5), (side * (offset - 0.02), 1.2), (side * (offset + 0.02), low * 0.82), 5
            )
            painter.polygons(
                [head.place(p) for p in stroke_polygons(strand, 0.030)], toned(colour, 0.80), None, depth=0.0
            )


def _mirror(half: Line) -> Points:
    return np.array(half + [(-x, y) for x, y in reversed(half)])
