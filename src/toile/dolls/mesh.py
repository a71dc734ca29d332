"""Exact maps between the flat garment and the person, through triangles that both sides share.

A panel is a grid of vertices with a flat and a body position. Inside each triangle the map is affine, so the
map from the flat picture to the person and the map back are each other's exact inverses.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from toile.dolls.frame import SUBPIXEL_BITS, fixed_point

Points = np.ndarray


@dataclass(frozen=True, kw_only=True)
class PanelMap:
    """Where each pixel of a box in one picture lies in the other picture."""

    top: int
    """First row of the box."""
    left: int
    """First column of the box."""
    x: np.ndarray
    """Column in the other picture, float32 (h, w)."""
    y: np.ndarray
    """Row in the other picture, float32 (h, w)."""
    covered: np.ndarray
    """Whether the panel covers the pixel, bool (h, w)."""

    @property
    def box(self) -> tuple[slice, slice]:
        """The box as slices of the whole picture."""
        height, width = self.covered.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def triangles(grid: Points) -> Points:
    """Splits a grid of vertices (R, C, 2) into triangles (T, 3, 2)."""
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    first, second = np.stack([a, b, c], axis=2), np.stack([b, d, c], axis=2)
    return np.stack([first, second], axis=2).reshape(-1, 3, 2)


def affine_coefficients(here: Points, there: Points) -> np.ndarray:
    """The affine maps of triangles `here` onto `there`: (6, T) with x' = k0 x + k1 y + k2, and y' alike."""
    origin = here[:, 0]
    (ux, uy), (vx, vy) = (here[:, 1] - origin).T, (here[:, 2] - origin).T
    determinant = ux * vy - uy * vx
    determinant = np.where(np.abs(determinant) < 1e-3, np.where(determinant < 0, -1e-3, 1e-3), determinant)
    rows = []
    for axis in (0, 1):
        base = there[:, 0, axis]
        du, dv = there[:, 1, axis] - base, there[:, 2, axis] - base
        kx, ky = (du * vy - dv * uy) / determinant, (dv * ux - du * vx) / determinant
        rows += [kx, ky, base - kx * origin[:, 0] - ky * origin[:, 1]]
    return np.stack(rows)


def rasterise(here: Points, there: Points, size: tuple[int, int]) -> PanelMap | None:
    """Maps the pixels that a panel covers in one picture into the other.

    Args:
        here: Vertices (R, C, 2) in pixels of the picture that is covered.
        there: The same vertices in pixels of the other picture.
        size: (height, width) of the picture that is covered.

    Returns:
        The map over the panel's bounding box, or None if the panel lies outside the picture.
    """
    low = np.floor(here.min(axis=(0, 1))).astype(int) - 1
    high = np.ceil(here.max(axis=(0, 1))).astype(int) + 2
    left, top = max(int(low[0]), 0), max(int(low[1]), 0)
    right, bottom = min(int(high[0]), size[1]), min(int(high[1]), size[0])
    if right <= left or bottom <= top:
        return None
    local, target = triangles(here - np.array([left, top])), triangles(there)
    coefficients = np.zeros((6, len(local) + 1), dtype=np.float32)
    coefficients[:, 1:] = affine_coefficients(local, target)
    numbers = np.zeros((bottom - top, right - left), dtype=np.uint16)
    fixed = fixed_point(local)
    for number, corners in enumerate(fixed, start=1):
        cv2.fillConvexPoly(numbers, corners, number, cv2.LINE_8, SUBPIXEL_BITS)
    columns = np.arange(right - left, dtype=np.float32)[None]
    rows = np.arange(bottom - top, dtype=np.float32)[:, None]
    index = numbers.astype(np.intp)
    x, y = (_affine(coefficients[first : first + 3], index, columns, rows) for first in (0, 3))
    return PanelMap(top=top, left=left, x=x, y=y, covered=numbers > 0)


def _affine(coefficients: np.ndarray, index: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Applies to each pixel the affine function of its triangle."""
    result: np.ndarray = coefficients[0].take(index)
    result *= columns
    by_row = coefficients[1].take(index)
    by_row *= rows
    result += by_row
    result += coefficients[2].take(index)
    return result
