"""What lies around a garment: white, or something else."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from toile.data.doctor.masks import RING, frame

WHITE = 235
"""Ours: a background whose darkest channel stays below this is not white."""
CLEAN = 0.8
"""Ours: the share of the background that has to be that white."""
SAMPLED = 20_000
"""So many pixels of the background are looked at, evenly spread."""


def darkest_channel(picture: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    """The lowest of red, green and blue at each pixel."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.min(cv2.min(red, green), blue))


def white_share(
    picture: UInt8[np.ndarray, "H W 3"], background: Bool[np.ndarray, "H W"] | None = None
) -> tuple[float, tuple[int, int, int]]:
    """How much of the background is white, and its median colour.

    Args:
        picture: RGB.
        background: where it is; None takes the frame of the picture.

    Returns:
        The share in [0, 1], and (red, green, blue).
    """
    ring = frame(picture.shape)
    chosen = (
        ring if background is None or np.count_nonzero(background) < np.count_nonzero(ring) else background
    )
    places = np.flatnonzero(chosen)
    pixels = picture.reshape(-1, 3)[places[:: 1 + len(places) // SAMPLED]]
    red, green, blue = (int(value) for value in np.median(pixels, axis=0))
    return float((pixels.min(axis=1) >= WHITE).mean()), (red, green, blue)


def white_sides(picture: UInt8[np.ndarray, "H W 3"]) -> int:
    """How many of a picture's four sides are white throughout; all four are around most flat garments."""
    thick = max(1, round(RING * min(picture.shape[:2])))
    sides = picture[:thick], picture[-thick:], picture[:, :thick], picture[:, -thick:]
    return sum(float((darkest_channel(side) >= WHITE).mean()) > 0.97 for side in sides)
