"""Draws a doll: from a seed to the photo, the flat garments and everything that is known about them."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from toile.dolls.background import draw_background
from toile.dolls.captions import describe_garment, describe_person, garment_attributes
from toile.dolls.cuts import build_cut
from toile.dolls.doll import CATEGORIES, MODES, TELLINGS, Category, Doll, FlatGarment, Mode
from toile.dolls.figure import draw_arm, draw_bag, draw_hand, draw_legs, draw_neck_shadow, draw_torso
from toile.dolls.flat import draw_cloth, light_flat, to_picture
from toile.dolls.frame import Frame, body_frame
from toile.dolls.hardness import measure_hardness
from toile.dolls.head import draw_back_hair, draw_front_hair, draw_head, draw_strands
from toile.dolls.masks import agnostic_mask, parse_map
from toile.dolls.painter import Painter
from toile.dolls.scene import Scene, sample_scene
from toile.dolls.skeleton import SIDES, Skeleton
from toile.dolls.wear import WornGarment
from toile.errors import ToileError

SMALLEST, LARGEST = 32, 4096


def draw_doll(
    seed: int,
    size: tuple[int, int] = (256, 192),
    mode: Mode = "studio",
    category: Category | None = None,
) -> Doll:
    """Draws the doll of a seed.

    Args:
        seed: Any integer from 0 on. The same seed gives the same scene at each size.
        size: (height, width) in pixels.
        mode: `studio` (plain background, calm poses) or `street` (clutter, harder poses, more occlusion).
        category: Category of the pair's garment; None lets the seed decide (half upper, then
            a quarter each).

    Raises:
        ToileError: A seed, size, mode or category that cannot be drawn.
    """
    check_request(seed, size, mode, category)
    with _repeatable():
        return render(sample_scene(seed, mode, category), size)


def render(scene: Scene, size: tuple[int, int], *, lit: bool = True) -> Doll:
    """Draws a scene at a size; without light, the person shows the garments' own colours unchanged."""
    skeleton = Skeleton(scene.pose, scene.look)
    body = body_frame(size, scene.camera)
    painter = Painter(draw_background(scene, size, skeleton, body), body, scene.light, lit)
    clothes: dict[str, WornGarment] = {}
    for number, spec in enumerate(scene.garments):
        cut = build_cut(spec)
        clothes[spec.category] = WornGarment(spec, cut, draw_cloth(spec, cut, size), skeleton, body, number)
    paint_person(painter, skeleton, scene, clothes)
    person = painter.image * np.array(scene.light.tint, np.float32)[:, None, None] if lit else painter.image
    garments = {name: _flat_garment(garment, painter, skeleton, body) for name, garment in clothes.items()}
    return Doll(
        seed=scene.seed,
        size=size,
        mode=scene.mode,
        category=scene.category,
        person=to_picture(person),
        parse=parse_map(painter.owner, clothes),
        joints=_joints(skeleton, body, size),
        garments=garments,
        captions={telling: describe_person(scene, telling) for telling in TELLINGS},
        hardness=measure_hardness(garments[scene.category], clothes[scene.category].spec),
    )


def paint_person(painter: Painter, skeleton: Skeleton, scene: Scene, clothes: dict[str, WornGarment]) -> None:
    """Paints everything, from the back to the front."""
    top = clothes.get("upper") or clothes["dress"]
    lower = clothes.get("lower")
    draw_back_hair(painter, skeleton)
    _paint_arms(painter, skeleton, top, "behind")
    draw_legs(painter, skeleton, max(0.0, (lower or top).spec.hem - 0.51 - 0.045))
    top.paint(painter, ("main",), behind_neck=True, shadow=0.0)
    draw_torso(painter, skeleton)
    draw_neck_shadow(painter, skeleton)
    layers = [clothes[spec.category] for spec in scene.garments if spec.category != "hat"]
    for garment in layers:
        if garment is lower:
            garment.paint(painter, ("right leg", "left leg", "main"), round_=0.017, shadow=0.22)
        else:
            garment.paint(painter, ("main",), round_=0.022, shadow=0.25)
    _paint_arms(painter, skeleton, top, "side")
    draw_head(painter, skeleton)
    draw_front_hair(painter, skeleton)
    if "hat" in clothes:
        clothes["hat"].paint(painter, ("main",), round_=0.014, shadow=0.3)
    draw_strands(painter, skeleton)
    if scene.bag is not None and scene.bag.kind != "handbag":
        draw_bag(painter, skeleton, scene.bag)
    _paint_arms(painter, skeleton, top, "front")
    if scene.bag is not None and scene.bag.kind == "handbag":
        draw_bag(painter, skeleton, scene.bag)


def _paint_arms(painter: Painter, skeleton: Skeleton, top: WornGarment, layer: str) -> None:
    """The arms of one layer, each with its sleeve and hand."""
    for name in SIDES:
        arm = getattr(skeleton.pose, name)
        if arm.layer != layer:
            continue
        draw_arm(painter, skeleton, name, max(0.0, top.spec.sleeve_length * 0.93 - 0.014))
        if arm.hand:
            draw_hand(painter, skeleton, name)
        top.paint(painter, (f"{name} sleeve",), round_=0.013, shadow=0.32)


def _flat_garment(garment: WornGarment, painter: Painter, skeleton: Skeleton, body: Frame) -> FlatGarment:
    warp, visible = garment.warp(painter.owner)
    worn = garment.worn(painter.owner)
    spec = garment.spec
    return FlatGarment(
        category=spec.category,
        image=light_flat(garment.cloth),
        silhouette=(garment.cloth.coverage > 0).astype(np.uint8) * np.uint8(255),
        worn=worn,
        agnostic_mask=agnostic_mask(spec, worn, painter.owner, skeleton, body),
        warp=warp,
        warp_visible=visible,
        caption=describe_garment(spec),
        attributes=garment_attributes(spec),
    )


def _joints(skeleton: Skeleton, body: Frame, size: tuple[int, int]) -> np.ndarray:
    points = body(skeleton.joints())
    inside = (points >= -0.5).all(axis=1) & (points[:, 0] < size[1] - 0.5) & (points[:, 1] < size[0] - 0.5)
    return np.concatenate([points, inside[:, None]], axis=1).astype(np.float32)


@contextmanager
def _repeatable() -> Iterator[None]:
    """One thread and no vendor kernels while drawing, so that every run gives the same bytes."""
    threads, vendor = cv2.getNumThreads(), cv2.ipp.useIPP()
    cv2.setNumThreads(1)
    cv2.ipp.setUseIPP(False)
    try:
        yield
    finally:
        cv2.ipp.setUseIPP(vendor)
        cv2.setNumThreads(threads)


def check_request(seed: int, size: tuple[int, int], mode: str, category: str | None) -> None:
    """Refuses a doll that cannot be drawn.

    Raises:
        ToileError: What is wrong, and what would be right.
    """
    if seed < 0:
        raise ToileError(f"a doll's seed is an integer from 0 on, not {seed}")
    if not all(SMALLEST <= side <= LARGEST for side in size):
        raise ToileError(f"a doll is {SMALLEST} to {LARGEST} pixels high and wide, not {size[0]}x{size[1]}")
    if mode not in MODES:
        raise ToileError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
    if category is not None and category not in CATEGORIES:
        raise ToileError(f"category is one of {', '.join(CATEGORIES)}, not {category!r}")
