"""What is behind the person: a studio with a soft floor, or a street."""

import cv2
import numpy as np

from toile.dolls.dice import Dice
from toile.dolls.frame import SUBPIXEL_BITS, Frame, canvas_frame, fixed_point
from toile.dolls.glyphs import ellipse
from toile.dolls.noise import smooth_field
from toile.dolls.palette import RGB
from toile.dolls.scene import CANVAS_WIDTH, Scene
from toile.dolls.skeleton import Points, Skeleton

WALLS: tuple[RGB, ...] = (
    (196, 122, 96), (222, 196, 160), (168, 178, 190), (150, 104, 88), (206, 206, 200), (232, 214, 150),
    (124, 144, 156),
    (214, 150, 140), (120, 130, 120),
)  # fmt: skip
STUDIOS: tuple[RGB, ...] = (
    (244, 243, 241),
    (236, 237, 240),
    (224, 225, 228),
    (240, 234, 226),
    (230, 236, 236),
    (214, 214, 218),
)


def draw_background(scene: Scene, size: tuple[int, int], skeleton: Skeleton, body: Frame) -> np.ndarray:
    """The background of a scene, float32 (3, H, W) in [0, 255]."""
    dice = Dice(scene.seed, scene.mode, "background")
    image = _studio(dice, size) if scene.mode == "studio" else _street(dice, size)
    _floor_shadow(image, skeleton, body, 0.16 if scene.mode == "studio" else 0.34)
    return image


def _studio(dice: Dice, size: tuple[int, int]) -> np.ndarray:
    wall = np.array(dice.pick(STUDIOS), np.float32)
    glow = smooth_field(dice.array(4, 4), size) * np.float32(7)
    image: np.ndarray = wall[:, None, None] + glow
    rows = np.arange(size[0], dtype=np.float32)
    horizon = canvas_frame(size)(np.array([0.0, dice.uniform(0.80, 0.90)]))[1]
    floor = np.clip((rows - np.float32(horizon)) / np.float32(size[0] * 0.06) + 0.5, 0, 1) * np.float32(
        -dice.uniform(4, 12)
    )
    return np.asarray(image + floor[:, None], np.float32)


def _floor_shadow(image: np.ndarray, skeleton: Skeleton, body: Frame, strength: float) -> None:
    """A soft shadow under the feet."""
    size = (image.shape[1], image.shape[2])
    feet = np.stack([skeleton.leg_joints[name][2] for name in ("right", "left")])
    centre = (float(feet[:, 0].mean()), float(feet[:, 1].max()) + 0.048)
    points = body(ellipse(centre, (0.17, 0.022)))
    if points[:, 1].min() > size[0]:
        return
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [fixed_point(points)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    soft = cv2.GaussianBlur(mask, (0, 0), body.d * 0.016).astype(np.float32)
    image *= 1 - soft * np.float32(strength / 255)


class _Scenery:
    """A picture in canvas units, painted in flat colours."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.image = np.zeros((*size, 3), np.uint8)
        self.frame = canvas_frame(size)

    def polygon(self, points: Points | list[tuple[float, float]], colour: RGB) -> None:
        cv2.fillPoly(
            self.image, [fixed_point(self.frame(np.asarray(points)))], colour, cv2.LINE_AA, SUBPIXEL_BITS
        )

    def box(self, left: float, top: float, right: float, bottom: float, colour: RGB) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def _toned(colour: RGB, factor: float) -> RGB:
    return tuple(min(255, int(part * factor)) for part in colour)  # type: ignore[return-value]


def _street(dice: Dice, size: tuple[int, int]) -> np.ndarray:
    scenery = _Scenery(size)
    sky = dice.pick(((172, 206, 236), (214, 226, 236), (246, 214, 180), (150, 190, 230)))
    scenery.box(-2, -2, 3, 3, sky)
    ground = dice.uniform(0.70, 0.84)
    left = -0.65
    while left < CANVAS_WIDTH + 0.65:
        width = dice.uniform(0.16, 0.34)
        _building(scenery, dice, left, left + width, dice.uniform(-0.10, 0.34), ground)
        left += width
    pavement = dice.pick(((176, 174, 172), (150, 150, 154), (196, 186, 170)))
    scenery.box(-2, ground, 3, 3, pavement)
    scenery.box(-2, ground, 3, ground + 0.012, _toned(pavement, 0.74))
    for index in range(-9, 10):
        x = CANVAS_WIDTH / 2 + index * 0.10
        far = CANVAS_WIDTH / 2 + index * 0.22
        scenery.polygon(
            [(x, ground + 0.012), (x + 0.004, ground + 0.012), (far + 0.012, 1.3), (far, 1.3)],
            _toned(pavement, 0.86),
        )
    for _ in range(dice.integer(1, 4)):
        _tree(scenery, dice, dice.uniform(-0.1, CANVAS_WIDTH + 0.1), ground)
    for _ in range(dice.integer(0, 3)):
        _passer_by(scenery, dice, dice.pick((dice.uniform(-0.02, 0.14), dice.uniform(0.60, 0.78))), ground)
    blurred = cv2.GaussianBlur(scenery.image, (0, 0), max(0.5, size[0] / 256 * dice.uniform(0.7, 1.7)))
    return np.asarray(blurred.transpose(2, 0, 1).astype(np.float32, order="C") * _sunlight(dice, size))


def _sunlight(dice: Dice, size: tuple[int, int]) -> np.ndarray:
    """Broad patches of sun and shade, (H, W)."""
    field = smooth_field(dice.array(5, 5), size)
    return np.asarray(np.clip(np.float32(0.98) + field * np.float32(0.30), 0.72, 1.12))


def _building(scenery: _Scenery, dice: Dice, left: float, right: float, top: float, ground: float) -> None:
    wall = dice.pick(WALLS)
    scenery.box(left, top, right, ground, wall)
    scenery.box(left, top, left + 0.012, ground, _toned(wall, 0.80))
    scenery.box(left, top, right, top + 0.014, _toned(wall, 0.72))
    columns, step = dice.integer(2, 5), dice.uniform(0.085, 0.125)
    glass = dice.pick(((88, 106, 128), (62, 74, 92), (214, 226, 236), (246, 220, 150)))
    pitch = (right - left) / columns
    for column in range(columns):
        x = left + pitch * (column + 0.24)
        for row in range(int((ground - 0.20 - top) / step)):
            y = top + 0.04 + row * step
            if -0.1 < y < 1.1:
                scenery.box(
                    x - 0.004, y - 0.004, x + pitch * 0.52 + 0.004, y + step * 0.62, _toned(wall, 1.16)
                )
                scenery.box(x, y, x + pitch * 0.52, y + step * 0.58, glass)
    shop = dice.pick(((190, 60, 60), (50, 110, 110), (230, 180, 70), (70, 80, 130), (240, 236, 228)))
    scenery.box(left + 0.01, ground - 0.150, right - 0.01, ground, _toned(glass, 0.85))
    scenery.box(left + 0.01, ground - 0.165, right - 0.01, ground - 0.125, shop)


def _tree(scenery: _Scenery, dice: Dice, x: float, ground: float) -> None:
    green = dice.pick(((84, 130, 74), (110, 150, 70), (62, 104, 84), (206, 150, 66)))
    scenery.box(x - 0.012, ground - 0.30, x + 0.012, ground + 0.03, (104, 80, 62))
    for _ in range(7):
        centre = (x + dice.uniform(-0.09, 0.09), ground - 0.36 + dice.uniform(-0.12, 0.08))
        radius = dice.uniform(0.05, 0.085)
        scenery.polygon(ellipse(centre, (radius, radius), 18), _toned(green, dice.uniform(0.82, 1.16)))


def _passer_by(scenery: _Scenery, dice: Dice, x: float, ground: float) -> None:
    coat, legs = dice.pick(WALLS), dice.pick(((60, 64, 80), (90, 84, 80), (40, 50, 70)))
    feet, tall = ground + dice.uniform(0.02, 0.08), dice.uniform(0.30, 0.44)
    scenery.box(x - 0.11 * tall, feet - 0.52 * tall, x - 0.01 * tall, feet, legs)
    scenery.box(x + 0.01 * tall, feet - 0.52 * tall, x + 0.11 * tall, feet, legs)
    scenery.polygon(ellipse((x, feet - 0.64 * tall), (0.16 * tall, 0.24 * tall)), _toned(coat, 0.9))
    scenery.polygon(ellipse((x, feet - 0.93 * tall), (0.075 * tall, 0.085 * tall)), (206, 160, 130))
