"""The flat picture of a garment: its texture, its details and the soft light of a shop photo."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from toile.dolls.cuts import Cut
from toile.dolls.dice import Dice
from toile.dolls.fill import bounding_box, fill_polygons
from toile.dolls.frame import SUBPIXEL_BITS, Frame, canvas_scale, fixed_point
from toile.dolls.glyphs import logo_polygons, stroke_polygons, word_polygons
from toile.dolls.noise import smooth_field
from toile.dolls.outfit import Detail, GarmentSpec, Placement
from toile.dolls.palette import COLOURS
from toile.dolls.scene import CANVAS_WIDTH
from toile.dolls.shapes import Sleeve, Trim
from toile.dolls.textures import camouflage, paint_pattern

Points = np.ndarray


@dataclass(frozen=True, kw_only=True)
class FlatCloth:
    """The flat garment before light: what is also put on the person."""

    frame: Frame
    """From body units to pixels of the flat picture."""
    albedo: np.ndarray
    """Colours without light, float32 (3, H, W) in [0, 255]."""
    coverage: np.ndarray
    """How much of each pixel the garment covers, uint8 (H, W)."""
    inside: np.ndarray
    """How much of each pixel shows the inner back, uint8 (H, W)."""
    folds: np.ndarray
    """Brightness of the folds, float32 (H, W), about 1."""


def flat_frame(cut: Cut, placement: Placement, size: tuple[int, int]) -> Frame:
    """Centres the garment in its picture; side views and extreme proportions squeeze it."""
    low, high = cut.outline.min(axis=0), cut.outline.max(axis=0)
    extent, centre = high - low, (low + high) / 2
    free = 1 - 2 * placement.margin
    fitted = min(CANVAS_WIDTH * free / extent[0], free / extent[1])
    scale, left, top = canvas_scale(size)
    across, down = fitted * placement.width_factor * scale, fitted * placement.height_factor * scale
    slope = placement.shear * across
    if slope:
        squeeze = min(1.0, free * scale / (extent[1] * down + abs(slope) * extent[0]))
        across, down, slope = across * squeeze, down * squeeze, slope * squeeze
    return Frame(
        a=across,
        b=slope,
        c=left + CANVAS_WIDTH / 2 * scale - across * centre[0],
        d=down,
        e=top + 0.5 * scale - down * centre[1] - slope * centre[0],
    )


def draw_cloth(spec: GarmentSpec, cut: Cut, size: tuple[int, int]) -> FlatCloth:
    """Draws the flat garment's colours, coverage and folds."""
    frame = flat_frame(cut, spec.placement, size)
    coverage = filled(frame(cut.outline), size)
    coverage[coverage < 8] = 0
    inside = (
        np.zeros(size, np.uint8)
        if cut.inside is None
        else np.minimum(filled(frame(cut.inside), size), coverage)
    )
    albedo = _pattern(spec, cut, frame, size)
    for trim in cut.trims:
        _draw_trim(albedo, trim, frame, spec)
    for detail in spec.details:
        _draw_detail(albedo, detail, frame)
    if cut.inside is not None:
        lining = _planes(spec.texture.colours[0]) * np.float32(0.52)
        _mix(albedo, inside, lining)
    return FlatCloth(frame=frame, albedo=albedo, coverage=coverage, inside=inside, folds=_folds(spec, size))


def light_flat(cloth: FlatCloth) -> np.ndarray:
    """The shop photo: the flat garment in soft light on pure white, uint8 (H, W, 3)."""
    size = cloth.coverage.shape
    sigma = size[0] / 256 * 4.5
    side = 2 * max(1, round(2.45 * sigma) - 1) + 1
    soft = cv2.stackBlur(cloth.coverage, (side, side)).astype(np.float32)
    shade = (soft * np.float32(0.30 / 255) + np.float32(0.72)) * (
        cloth.folds * np.float32(0.6) + np.float32(0.4)
    )
    shade = np.minimum(shade, np.float32(1.04))
    alpha = cloth.coverage.astype(np.float32) * np.float32(1 / 255)
    return to_picture(255 + alpha * (cloth.albedo * shade - 255))


def to_picture(planes: np.ndarray) -> np.ndarray:
    """Rounds colour planes (3, H, W) to a picture, uint8 (H, W, 3)."""
    levels = np.rint(planes)
    np.maximum(levels, 0, out=levels)
    np.minimum(levels, 255, out=levels)
    return np.asarray(cv2.merge(list(levels.astype(np.uint8))))


def _planes(name: str) -> np.ndarray:
    """A named colour that spreads over colour planes, (3, 1, 1)."""
    return np.array(COLOURS[name], np.float32)[:, None, None]


def filled(points: Points, size: tuple[int, int]) -> np.ndarray:
    """A smooth-edged filled polygon, uint8 (H, W)."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [fixed_point(points)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return mask


def _pattern(spec: GarmentSpec, cut: Cut, frame: Frame, size: tuple[int, int]) -> np.ndarray:
    """The texture over the whole picture; on sleeves it turns with the sleeve."""
    texture, (height, width) = spec.texture, size
    if texture.pattern == "camouflage":
        return camouflage(texture, spec.folds, size)
    columns = np.arange(width, dtype=np.float32)[None]
    rows = np.arange(height, dtype=np.float32)[:, None]
    x, y = frame.inverse(columns, rows)
    soft = 1.0 / min(frame.a, frame.d)
    albedo = paint_pattern(x.astype(np.float32), y.astype(np.float32), texture, soft)
    albedo = np.array(np.broadcast_to(albedo, (3, height, width)), dtype=np.float32)
    if cut.sleeve is not None and texture.pattern not in ("plain", "gradient"):
        for side in (-1.0, 1.0):
            _sleeve_pattern(albedo, spec, cut.sleeve, side, frame, soft)
    return albedo


def _sleeve_pattern(
    albedo: np.ndarray, spec: GarmentSpec, sleeve: Sleeve, side: float, frame: Frame, soft: float
) -> None:
    """Repaints a sleeve's area with the pattern along the sleeve."""
    corners = np.array([sleeve.shoulder, sleeve.cuff_outer, sleeve.cuff_inner, sleeve.armpit]) * np.array(
        [side, 1.0]
    )
    away = corners[:2].mean(axis=0) - corners[2:].mean(axis=0)
    tip_and_cuff = corners + np.array([away, away, -away * 0.2, -away * 0.0]) * 0.25
    end = (corners[1] + corners[2]) / 2 - (corners[0] + corners[3]) / 2
    tip_and_cuff[1:3] += end * 0.12
    outline = frame(tip_and_cuff)
    where = bounding_box(outline, (albedo.shape[1], albedo.shape[2]))
    if where is None:
        return
    rows, columns = where
    box = albedo[:, rows, columns]
    mask = filled(outline - np.array([columns.start, rows.start]), (box.shape[1], box.shape[2]))
    x, y = frame.inverse(
        np.arange(columns.start, columns.stop, dtype=np.float32)[None],
        np.arange(rows.start, rows.stop, dtype=np.float32)[:, None],
    )
    angle = math.radians(spec.sleeve_angle) * side
    middle = (corners[0] + corners[3]) / 2
    dx, dy = (x - middle[0]).astype(np.float32), (y - middle[1]).astype(np.float32)
    sine, cosine = np.float32(math.sin(angle)), np.float32(math.cos(angle))
    along, across = dx * sine + dy * cosine, dx * cosine - dy * sine
    colours = paint_pattern(across + np.float32(middle[0]), along + np.float32(middle[1]), spec.texture, soft)
    _mix(box, mask, colours)


def _mix(image: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    """Lays a colour (or a picture) over the image where the mask is set, in place."""
    share = mask.astype(np.float32) * np.float32(1 / 255)
    image += share * (colour - image)


def _stamp(
    image: np.ndarray, polygons: list[Points], colour: np.ndarray | None, tone: float, holes: list[bool]
) -> None:
    """Paints polygons (in pixels) over their bounding box only; without a colour, darkens by `tone`."""
    where = bounding_box(np.concatenate(polygons), (image.shape[1], image.shape[2]), 1.0)
    if where is None:
        return
    box, corner = image[:, where[0], where[1]], np.array([where[1].start, where[0].start])
    mask = fill_polygons([polygon - corner for polygon in polygons], (box.shape[1], box.shape[2]), holes)
    _mix(box, mask, box * np.float32(tone) if colour is None else colour * np.float32(tone))


def _draw_trim(albedo: np.ndarray, trim: Trim, frame: Frame, spec: GarmentSpec) -> None:
    if trim.width:
        line = [(float(x), float(y)) for x, y in trim.points]
        polygons = [frame(polygon) for polygon in stroke_polygons(line, trim.width)]
    else:
        polygons = [frame(trim.points)]
    colour = None if trim.colour < 0 else _planes(spec.texture.colours[trim.colour])
    _stamp(albedo, polygons, colour, trim.tone, [False] * len(polygons))


def _draw_detail(albedo: np.ndarray, detail: Detail, frame: Frame) -> None:
    """A word or a logo, on a plate where the pattern would swallow it."""
    (x, y), height = detail.centre, detail.height
    if detail.backed:
        half = height * (0.46 * len(detail.content) + 0.12) if detail.kind == "word" else height * 0.72
        tall = height * 0.80 if detail.kind == "word" else height * 0.72
        plate = np.array(
            [(x - half, y - tall), (x + half, y - tall), (x + half, y + tall), (x - half, y + tall)]
        )
        _stamp(albedo, [frame(plate)], _planes(detail.plate), 1.0, [False])
    if detail.kind == "word":
        shapes = [(polygon, True) for polygon in word_polygons(detail.content, detail.centre, height)]
    else:
        shapes = logo_polygons(detail.content, detail.centre, height)
    polygons, holes = [frame(shape) for shape, _ in shapes], [not painted for _, painted in shapes]
    _stamp(albedo, polygons, _planes(detail.colour), 1.0, holes)


def _folds(spec: GarmentSpec, size: tuple[int, int]) -> np.ndarray:
    """Soft creases: ridges of two smooth random fields, one of them drawn out downwards."""
    dice = Dice(spec.folds, "folds")
    long = smooth_field(dice.array(5, 13), size)
    small = smooth_field(dice.array(9, 9), size)
    crease = np.abs(long) * np.float32(0.55) + np.abs(small) * np.float32(0.45)
    return np.asarray(np.clip(np.float32(0.84) + crease * np.float32(0.75), 0.0, 1.08))
