"""Masks laid over photos, to be looked at."""

import cv2
import numpy as np
from PIL import Image

COLOUR = (214, 32, 140)
"""RGB of what a mask marks: a colour that is rare in clothes and skin."""
STRENGTH = 0.45
"""The colour's share inside of the mask; its edge is drawn opaque."""


def lay_over(photo: Image.Image, mask: Image.Image) -> Image.Image:
    """The photo with its mask over it, RGB: tinted inside, and outlined.

    Args:
        photo: RGB.
        mask: "L", of the photo's size, 255 inside.
    """
    pixels, inside = np.asarray(photo.convert("RGB")).astype(np.float32), np.asarray(mask) > 127
    pixels[inside] = (1 - STRENGTH) * pixels[inside] + STRENGTH * np.array(COLOUR, np.float32)
    painted = pixels.round().astype(np.uint8)
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(painted, outlines, -1, COLOUR, thickness=max(1, round(max(photo.size) / 400)))
    return Image.fromarray(painted)
