"""The body: legs, shoes, torso, arms, hands and bags."""

import math

import numpy as np

from toile.dolls.glyphs import ellipse
from toile.dolls.painter import ARMS, BAG, HANDS, LEGS, SHOES, TORSO, Painter
from toile.dolls.palette import RGB
from toile.dolls.scene import Bag
from toile.dolls.skeleton import BODY_PROFILE, SIDES, LimbCurve, Skeleton, arm_radius, leg_radius

Points = np.ndarray


def limb_outline(curve: LimbCurve, distances: np.ndarray, radii: np.ndarray) -> list[Points]:
    """Convex pieces and joints that together draw a limb of changing thickness."""
    points, normals = curve.at(distances)
    outer, inner = points + normals * radii[:, None], points - normals * radii[:, None]
    pieces = [np.stack([outer[i], outer[i + 1], inner[i + 1], inner[i]]) for i in range(len(distances) - 1)]
    first = 0 if distances[0] <= 0.0 else 2
    ends = [
        ellipse(tuple(points[i]), (radii[i] * 0.98, radii[i] * 0.98), 16)
        for i in range(first, len(points), 2)
    ]
    return pieces + ends


def draw_legs(painter: Painter, skeleton: Skeleton, visible_from: float) -> None:
    """Both legs, from this distance from the hip joint on (the rest is covered), with their shoes."""
    look = skeleton.look
    for name in SIDES:
        if visible_from > 0.42:
            continue
        distances = np.linspace(visible_from, 0.435, 13)
        shapes = limb_outline(skeleton.legs[name], distances, leg_radius(distances, look.stout))
        painter.polygons(shapes, look.skin, LEGS[name], round_=0.016, shadow=0.15)
    for name, side in SIDES.items():
        ankle, _ = skeleton.legs[name].at(np.array(0.44))
        toe = ankle + np.array([side * 0.014, 0.0])
        shoe = [
            (-0.021, -0.018), (0.021, -0.018), (0.024, 0.010), (0.030, 0.034), (0.024, 0.047), (0.0, 0.051),
            (-0.024, 0.047), (-0.030, 0.034), (-0.024, 0.010),
        ]  # fmt: skip
        painter.polygons([np.array(shoe) + toe], look.shoes, SHOES[name], round_=0.010, shadow=0.2)
        sole = (
            np.array([(-0.029, 0.036), (0.029, 0.036), (0.025, 0.050), (0.0, 0.054), (-0.025, 0.050)]) + toe
        )
        dark: RGB = (236, 234, 230) if sum(look.shoes) < 500 else (120, 116, 112)
        painter.polygons([sole], dark, SHOES[name], round_=0.004, depth=0.5)


def draw_torso(painter: Painter, skeleton: Skeleton) -> None:
    """Bare torso and neck."""
    heights, widths = (np.array(column) for column in BODY_PROFILE)
    left, right = skeleton.torso(-widths, heights), skeleton.torso(widths, heights)
    skin = skeleton.look.skin
    painter.polygons([np.concatenate([left, right[::-1]])], skin, TORSO, round_=0.016)
    stout = 0.5 + 0.5 * skeleton.look.stout
    base, slope = skeleton.torso(np.array([-0.072, 0.072]), np.array([0.181, 0.181])), 0.030 * stout
    chin = skeleton.head.centre + skeleton.head.down * 0.045
    neck = [
        base[0], skeleton.torso(np.array(-slope - 0.006), np.array(0.164)), chin + np.array([-slope, 0.0]),
        chin + np.array([slope, 0.0]), skeleton.torso(np.array(slope + 0.006), np.array(0.164)), base[1],
    ]  # fmt: skip
    painter.polygons([np.stack(neck)], skin, TORSO, round_=0.010, depth=0.7)


def draw_neck_shadow(painter: Painter, skeleton: Skeleton) -> None:
    """The shadow that the chin throws on the neck."""
    centre = skeleton.head.centre + skeleton.head.down * 0.068
    dark = tuple(
        int(part * factor) for part, factor in zip(skeleton.look.skin, (0.80, 0.72, 0.70), strict=True)
    )
    shape = ellipse(tuple(centre), (0.032, 0.020), 20)
    painter.polygons([shape], (dark[0], dark[1], dark[2]), TORSO, round_=0.005, depth=0.0)


def draw_arm(painter: Painter, skeleton: Skeleton, name: str, start: float) -> None:
    """A bare arm without its hand, from this distance from the shoulder on (the rest is under a sleeve)."""
    distances = np.linspace(start, 0.308, 13)
    shapes = limb_outline(skeleton.arms[name], distances, arm_radius(distances, skeleton.look.stout))
    painter.polygons(shapes, skeleton.look.skin, ARMS[name], round_=0.011, shadow=0.22)


def draw_hand(painter: Painter, skeleton: Skeleton, name: str) -> None:
    """A simple hand: a mitten with a thumb and three lines between the fingers."""
    side = SIDES[name]
    wrist = skeleton.arm_joints[name][2]
    arm = getattr(skeleton.pose, name)
    angle = math.radians(arm.fore)
    along = np.array([side * math.sin(angle), math.cos(angle)])
    across = np.array(
        [side * math.cos(angle), -math.sin(angle)]
    )  # Points away from the body when the arm hangs.
    scale = 0.0115 * (0.55 + 0.45 * skeleton.look.stout)

    def at(points: list[tuple[float, float]]) -> Points:
        raw = np.array(points) * scale
        return np.asarray(wrist + raw[:, :1] * across + raw[:, 1:] * along)

    palm = at(
        [
            (-1.2, -0.9),
            (1.2, -0.9),
            (1.75, 1.0),
            (1.75, 2.6),
            (1.35, 4.3),
            (0.3, 4.9),
            (-0.8, 4.6),
            (-1.5, 3.2),
            (-1.75, 1.2),
        ]
    )
    thumb = at([(-1.1, 0.4), (-2.2, 1.4), (-2.7, 2.9), (-2.2, 3.3), (-1.2, 2.3)])
    skin = skeleton.look.skin
    painter.polygons([palm, thumb], skin, HANDS[name], round_=0.007, depth=0.9, shadow=0.2)
    line: RGB = (int(skin[0] * 0.80), int(skin[1] * 0.74), int(skin[2] * 0.72))
    for offset in (-0.55, 0.25, 1.0):
        finger = at([(offset - 0.10, 2.7), (offset + 0.10, 2.7), (offset + 0.08, 4.3), (offset - 0.08, 4.3)])
        painter.polygons([finger], line, None, depth=0.0)


def draw_bag(painter: Painter, skeleton: Skeleton, bag: Bag) -> None:
    """A bag in front of everything."""
    side, half = bag.side, bag.size
    dark: RGB = (int(bag.colour[0] * 0.62), int(bag.colour[1] * 0.60), int(bag.colour[2] * 0.60))
    if bag.kind == "crossbody":
        start = skeleton.torso(np.array(-side * 0.062), np.array(0.168))
        centre = skeleton.torso(np.array(side * 0.088), np.array(0.520))
        strap = [(start, centre - np.array([side * half * 0.5, half * 0.6]))]
    elif bag.kind == "tote":
        start = skeleton.torso(np.array(side * 0.086), np.array(0.178))
        centre = skeleton.torso(np.array(side * 0.105), np.array(0.455))
        strap = [(start, centre + np.array([-0.02, -half])), (start, centre + np.array([0.02, -half]))]
        half *= 1.25
    else:
        name = "right" if side < 0 else "left"
        start = skeleton.arm_joints[name][2] + np.array([0.0, 0.02])
        centre = start + np.array([0.0, half * 1.5])
        strap = [
            (start, centre + np.array([-half * 0.6, -half * 0.7])),
            (start, centre + np.array([half * 0.6, -half * 0.7])),
        ]
    for top, end in strap:
        along = (end - top) / math.hypot(*(end - top))
        across = np.array([-along[1], along[0]]) * 0.0065
        painter.polygons(
            [np.stack([top - across, top + across, end + across, end - across])],
            dark,
            BAG,
            round_=0.004,
            depth=0.8,
            shadow=0.25,
        )
    body = np.array(
        [
            (-1, -0.72),
            (-0.9, -0.8),
            (0.9, -0.8),
            (1, -0.72),
            (1.04, 0.62),
            (0.86, 0.8),
            (-0.86, 0.8),
            (-1.04, 0.62),
        ]
    )
    painter.polygons([centre + body * half], bag.colour, BAG, round_=0.012, shadow=0.35)
    flap = np.array([(-1.0, -0.8), (1.0, -0.8), (1.0, -0.1), (0.0, 0.18), (-1.0, -0.1)])
    painter.polygons([centre + flap * half * 0.97], dark, None, round_=0.006, depth=0.6)
    painter.polygons(
        [ellipse(tuple(centre + np.array([0, 0.04 * half])), (half * 0.13, half * 0.13), 14)],
        (232, 198, 96),
        None,
        depth=0.0,
    )
