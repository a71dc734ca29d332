"""What a picture looks like in a few bytes: a perceptual hash to search by, a thumbnail to be sure by."""

import cv2
import numpy as np
from jaxtyping import UInt8

SIDE, KEPT = 32, 8
"""The cosine transform's size, and how many of its lowest rows and columns enter the hash."""
THUMBNAIL = 12
"""Ours: side of the square thumbnail that pairs are compared by."""


def fingerprint(picture: UInt8[np.ndarray, "H W 3"]) -> tuple[int, UInt8[np.ndarray, "12 12 3"]]:
    """A picture's perceptual hash and thumbnail; RGB."""
    reduced = cv2.resize(picture, (3 * SIDE, 3 * SIDE), interpolation=cv2.INTER_AREA)
    return perceptual_hash(reduced), cv2.resize(reduced, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)


def perceptual_hash(picture: UInt8[np.ndarray, "H W 3"]) -> int:
    """A 64-bit hash after pHash: which of a picture's lowest frequencies lie above their median.

    Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010: the DCT-II of the grey
    picture at 32×32, cut to 8×8 and compared with the median. Ours: no mean filter before, the cut starts at
    the constant term, which stays out of the median.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:KEPT, :KEPT].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
