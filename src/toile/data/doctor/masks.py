"""What a mask tells about itself, and whether it gives the garment's shape away."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from toile.images import MASK_THRESHOLD

GREY, MOST_GREY = (32, 223), 0.1
"""Ours: values between these count as grey; softened and JPEG edges stay below this share of the picture."""
RING = 0.02
"""Ours: the frame of a picture is this share of its smaller side wide."""
HEIGHT = 256
"""Shapes are compared at this height; smaller differences do not matter."""
HUGGING, NEAR = 0.97, 0.03
"""Ours: from this IoU on with the garment, grown by at most this share of the height, a mask follows it."""
COVERED = 0.75
"""Ours: a mask that covers less of its garment leaves much of it to be seen."""

Bitmap = Bool[np.ndarray, "H W"]


def mask_oddity(mask: UInt8[np.ndarray, "H W"]) -> tuple[str, str] | None:
    """The code and detail of what a mask alone shows, but for its orientation: empty, full, in greys.

    Args:
        mask: 255 (or at least 128) where it marks.
    """
    smallest, largest, _, _ = cv2.minMaxLoc(mask)
    if largest == 0:
        return "mask-empty", "every value is 0"
    if largest < MASK_THRESHOLD:
        code = "mask-zero-one" if largest == 1 else "mask-empty"
        return code, f"its largest value is {largest:.0f} of 255"
    if smallest >= MASK_THRESHOLD:
        return "mask-full", "every pixel is marked"
    grey = share(cv2.inRange(mask, GREY[0], GREY[1]) > 0)
    return ("mask-not-binary", f"{grey:.0%} of it is grey") if grey > MOST_GREY else None


def share(bitmap: Bool[np.ndarray, "..."]) -> float:
    """How much of it is set, in [0, 1]."""
    return float(np.count_nonzero(bitmap) / max(1, bitmap.size))


def inverted(mask: Bitmap, garment: Bitmap | None) -> bool:
    """Whether a mask marks everything but what it should.

    Args:
        mask: what is marked.
        garment: where the garment is; None goes by the frame of the picture, which no mask marks most of.
    """
    if garment is not None and garment.any():
        return share(mask[garment]) < 0.3 and share(mask[~garment]) > 0.6
    return share(mask[frame(mask.shape)]) > 0.6 and share(mask) > 0.5


def frame(shape: tuple[int, ...]) -> Bitmap:
    """The outermost pixels of a picture of (height, width)."""
    thick = max(1, round(RING * min(shape[:2])))
    ring = np.ones(shape[:2], bool)
    ring[thick:-thick, thick:-thick] = False
    return ring


def follows(mask: Bitmap, garment: Bitmap) -> float | None:
    """How closely a mask follows a garment: its IoU with the garment grown evenly to the mask's area.

    Ours: a mask that is the garment's shape, or that shape dilated, tells a model what it should invent.

    Returns:
        The IoU in [0, 1]; None when the mask is smaller, or needs growing by more than `NEAR`.
    """
    marked = int(np.count_nonzero(mask))
    if not garment.any() or marked == 0:
        return None
    distance = cv2.distanceTransform((~garment).astype(np.uint8), cv2.DIST_L2, 5)
    radius = float(np.partition(distance, marked - 1, axis=None)[marked - 1])
    return overlap(mask, distance <= radius) if radius <= NEAR * mask.shape[0] else None


def overlap(first: Bitmap, second: Bitmap) -> float:
    """Intersection over union; 1 for two that are empty."""
    union = int(np.count_nonzero(first | second))
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def shrunk(bitmap: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "h w"]:
    """A bitmap no higher than `HEIGHT`, for what is compared roughly."""
    height, width = bitmap.shape
    if height <= HEIGHT:
        return bitmap
    size = max(1, round(width * HEIGHT / height)), HEIGHT
    return np.asarray(cv2.resize(bitmap.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(bool))
