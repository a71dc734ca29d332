"""Regions of a picture made larger or simpler: dilated, hulled, boxed."""

import cv2
import numpy as np
from jaxtyping import Bool

Region = Bool[np.ndarray, "H W"]


def grown(region: Region, reach: float) -> Region:
    """Dilate by so many pixels, round."""
    if round(reach) < 1 or not region.any():
        return region
    distances = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distances <= round(reach))


def hull(region: Region) -> Region:
    """The convex hull, filled."""
    points = cv2.findNonZero(region.astype(np.uint8))
    canvas = np.zeros(region.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(canvas, cv2.convexHull(points), 1)
    return np.asarray(canvas > 0)


def box(region: Region) -> Region:
    """The bounding box, filled."""
    filled = np.zeros_like(region)
    left, top, width, height = cv2.boundingRect(region.astype(np.uint8))
    filled[top : top + height, left : left + width] = True
    return filled


def lowered(region: Region, distance: float) -> Region:
    """The region moved down by so many pixels."""
    moved = np.zeros_like(region)
    down = min(round(distance), len(region) - 1)
    moved[down:] = region[: len(region) - down]
    return moved


def closed(region: Region, gap: float) -> Region:
    """Fill gaps between left and right that are no wider than so many pixels."""
    reach = round(gap / 2)
    kernel = np.ones((1, 2 * reach + 1), np.uint8)
    padded = np.pad(region.astype(np.uint8), ((0, 0), (reach, reach)))
    filled = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel) > 0
    return np.asarray(filled[:, reach : reach + region.shape[1]])
