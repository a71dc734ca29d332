"""How pictures are compared."""

import numpy as np
from PIL import Image


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of two pictures, of 255."""
    return int(abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max())
