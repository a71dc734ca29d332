"""Filled polygons with exact soft edges."""

from collections.abc import Sequence

import cv2
import numpy as np

from toile.dolls.frame import SUBPIXEL_BITS, fixed_point

FINE = 4
"""How many times finer small shapes are drawn before they are averaged."""
SMALL = 10_000
"""Largest area, in pixels, of a mask that is drawn finer."""


def bounding_box(points: np.ndarray, size: tuple[int, int], pad: float = 0.0) -> tuple[slice, slice] | None:
    """Rows and columns of a picture that hold these points (N, 2) and a rim; None if they lie outside."""
    low, high = np.floor(points.min(axis=0) - pad), np.ceil(points.max(axis=0) + pad) + 1
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), size[1]), min(int(high[1]), size[0])
    return None if right <= left or bottom <= top else (slice(top, bottom), slice(left, right))


def fill_polygons(
    polygons: Sequence[np.ndarray], size: tuple[int, int], holes: Sequence[bool] = ()
) -> np.ndarray:
    """Coverage of the union of polygons, uint8 (H, W).

    OpenCV's own smooth edges thicken a shape by half a pixel, which is too much for an eye or a letter: small
    masks are drawn finer and averaged instead.

    Args:
        polygons: Corners in pixels, each (N, 2); drawn in order.
        size: (height, width) of the mask.
        holes: For each polygon whether it cuts out instead; all paint if empty.
    """
    values = [0 if hole else 255 for hole in holes] or [255] * len(polygons)
    fine = FINE if size[0] * size[1] <= SMALL else 1
    mask = np.zeros((size[0] * fine, size[1] * fine), np.uint8)
    line = cv2.LINE_AA if fine == 1 else cv2.LINE_8
    offset = (fine - 1) / 2
    for polygon, value in zip(polygons, values, strict=True):
        cv2.fillPoly(mask, [fixed_point(polygon * fine + offset)], value, line, SUBPIXEL_BITS)
    return mask if fine == 1 else cv2.resize(mask, (size[1], size[0]), interpolation=cv2.INTER_AREA)
