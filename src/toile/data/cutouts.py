"""Garments cut from photos by the parse map, laid on white as if they were flat.

AnyDressing (arXiv 2412.04146), supplement 7.2: where a dataset has one garment of an outfit laid flat, the
others are segmented from the photo, roughly.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from toile.data.parse_labels import GARMENT_LABELS
from toile.errors import ToileError

LEAST_SHARE = {"upper": 0.03, "lower": 0.03, "dress": 0.04, "hat": 0.003}
"""The share of a photo that a garment has to cover to be cut out. Ours: less shows no texture."""
SPECK = 0.05
"""Parts of a garment smaller than this share of its largest part are a parser's mistakes."""
MARGIN = 0.08
"""White on each side of a cut-out, as a share of the canvas; in-shop pictures leave about as much."""
FRINGE = 0.003
"""What is taken off a cut-out's edge, as a share of the photo's height: parse maps are not that exact."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CutOut:
    """A garment cut from a photo."""

    picture: Image.Image
    """The garment alone on white, RGB, of the photo's size, in the middle."""
    worn: Image.Image
    """Where it is in the photo: "L", 255 inside, 0 elsewhere."""
    truncated: bool
    """Whether it reaches the photo's edge, so that some of it is missing."""


def cut_out(photo: Image.Image, parse: Image.Image, kind: str) -> CutOut | None:
    """Cut a garment from a photo.

    Args:
        photo: RGB.
        parse: LIP labels, "L", of the photo's size.
        kind: `upper`, `lower`, `dress` or `hat`.

    Returns:
        The cut-out, or None when too little of such a garment is to be seen.

    Raises:
        ToileError: when there is no such kind, or the sizes differ.
    """
    if kind not in GARMENT_LABELS:
        raise ToileError(
            f"a garment of the kind {kind!r} cannot be cut out; write one of {', '.join(GARMENT_LABELS)}"
        )
    if photo.size != parse.size:
        sizes = " and its parse map ".join(f"{width}×{height}" for width, height in (photo.size, parse.size))
        raise ToileError(f"the photo has {sizes} pixels; both have to be of one size")
    inside = garment_region(np.asarray(parse), kind)
    if inside.mean() < LEAST_SHARE[kind]:
        return None
    clean = _without_fringe(inside)
    alone = np.where(clean[..., None], np.asarray(photo.convert("RGB")), np.uint8(255))
    return CutOut(
        picture=_centred(Image.fromarray(alone), Image.fromarray(clean)),
        worn=Image.fromarray(inside.astype(np.uint8) * np.uint8(255)),
        truncated=bool(inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()),
    )


def garment_region(parse: UInt8[np.ndarray, "H W"], kind: str) -> Bool[np.ndarray, "H W"]:
    """Where a kind of garment is worn, by LIP labels: without specks."""
    labelled = np.isin(parse, list(GARMENT_LABELS[kind])).astype(np.uint8)
    count, parts, numbers, _ = cv2.connectedComponentsWithStats(labelled, connectivity=8)
    if count < 2:
        return labelled > 0
    areas = numbers[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    return np.asarray((areas >= SPECK * areas.max())[parts] & (labelled > 0))


def _without_fringe(inside: np.ndarray) -> np.ndarray:
    reach = round(FRINGE * len(inside))
    if reach < 1:
        return inside
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    eroded = (
        cv2.erode(inside.astype(np.uint8), kernel) > 0
    )  # what lies beyond the photo's edge counts as inside
    return np.asarray(eroded if eroded.any() else inside)


def _centred(picture: Image.Image, inside: Image.Image) -> Image.Image:
    """Crop to what is inside, and scale it into the middle of a white canvas of the same size."""
    box = inside.getbbox()
    assert box is not None
    crop = picture.crop(box)
    room = (1 - 2 * MARGIN) * picture.width, (1 - 2 * MARGIN) * picture.height
    scale = min(room[0] / crop.width, room[1] / crop.height)
    size = max(1, round(crop.width * scale)), max(1, round(crop.height * scale))
    canvas = Image.new("RGB", picture.size, "white")
    left, top = (picture.width - size[0]) // 2, (picture.height - size[1]) // 2
    canvas.paste(crop.resize(size, Image.Resampling.LANCZOS), (left, top))
    return canvas
