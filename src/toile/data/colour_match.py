"""Whether the garment in the photo has the colours of the flat garment."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

QUANTILES = np.linspace(0.02, 0.98, 33)
LIGHTNESS_WEIGHT = 0.5
"""Ours: folds and shadows change how light a garment is more than its hue."""
OTHER_GARMENT = 25.0
"""Ours: colours that are this far apart in CIELAB belong to another garment altogether."""
FEWEST = 50
"""Ours: fewer pixels than this say nothing about a garment's colours."""
MOST = 5000
"""More pixels than this are thinned out."""


def inner_pixels(
    picture: UInt8[np.ndarray, "H W 3"], region: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "N 3"]:
    """The colours inside a region, away from its rim where there is enough of it."""
    inner = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0) > 0
    colours = picture[inner if np.count_nonzero(inner) >= 4 * FEWEST else region]
    return np.asarray(colours[:: max(1, len(colours) // MOST)])


def colour_distance(first: UInt8[np.ndarray, "N 3"], second: UInt8[np.ndarray, "M 3"]) -> float:
    """How far two sets of RGB colours are apart, in units of CIELAB.

    For each of L, a and b the Wasserstein-1 distance of the two distributions, then their Euclidean norm,
    with L times `LIGHTNESS_WEIGHT`.
    """
    apart = np.abs(_quantiles(first) - _quantiles(second)).mean(axis=0)  # (3,)
    return float(np.linalg.norm(apart * (LIGHTNESS_WEIGHT, 1, 1)))


def mismatch(worn: UInt8[np.ndarray, "N 3"], flat: UInt8[np.ndarray, "M 3"]) -> float | None:
    """How little the colours of the worn garment are those of the flat one: 0 the same, 1 another garment's.

    Returns:
        None where there are too few pixels to tell.
    """
    if min(len(worn), len(flat)) < FEWEST:
        return None
    return min(1.0, colour_distance(worn, flat) / OTHER_GARMENT)


def _quantiles(colours: UInt8[np.ndarray, "N 3"]) -> Float32[np.ndarray, "Q 3"]:
    lab = cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    return np.asarray(np.quantile(lab, QUANTILES, axis=0), np.float32)
