"""From a scene's units to the pixels of a picture of any size."""

from dataclasses import dataclass

import numpy as np

from toile.dolls.scene import CANVAS_WIDTH, Camera

Points = np.ndarray
SUBPIXEL_BITS = 4
SUBPIXELS = 1 << SUBPIXEL_BITS


@dataclass(frozen=True, kw_only=True)
class Frame:
    """An affine map from units to pixel indices (centres are whole): x' = a·x + c, y' = b·x + d·y + e."""

    a: float
    """Pixels per unit, horizontally."""
    b: float
    """Shear: pixels downwards per unit to the right."""
    c: float
    """Pixel column of x = 0."""
    d: float
    """Pixels per unit, vertically."""
    e: float
    """Pixel row of the origin."""

    def __call__(self, points: Points) -> Points:
        """Maps points (..., 2) in units to pixels."""
        points = np.asarray(points, dtype=np.float64)
        pixels = points * (self.a, self.d) + (self.c, self.e)
        if self.b:
            pixels[..., 1] += self.b * points[..., 0]
        return pixels

    def inverse(self, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maps pixel indices to units (x, y)."""
        x = (columns - self.c) / self.a
        return x, (rows - self.b * x - self.e) / self.d


def canvas_scale(size: tuple[int, int]) -> tuple[float, float, float]:
    """Pixels per canvas unit, and the pixel position of the corner of the canvas, which is centred."""
    height, width = size
    scale = min(float(height), width / CANVAS_WIDTH)
    return scale, (width - CANVAS_WIDTH * scale) / 2 - 0.5, (height - scale) / 2 - 0.5


def canvas_frame(size: tuple[int, int]) -> Frame:
    """From canvas units to pixels."""
    scale, left, top = canvas_scale(size)
    return Frame(a=scale, b=0.0, c=left, d=scale, e=top)


def body_frame(size: tuple[int, int], camera: Camera) -> Frame:
    """From body units to pixels."""
    scale, left, top = canvas_scale(size)
    zoom, (x, y) = camera.zoom * scale, camera.shift
    return Frame(a=zoom, b=0.0, c=left + x * scale, d=zoom, e=top + y * scale)


def fixed_point(points: Points) -> np.ndarray:
    """Pixel positions as OpenCV's fixed-point integers."""
    fixed = np.rint(np.minimum(np.maximum(points, -3000.0), 30000.0) * SUBPIXELS)
    return np.asarray(fixed, np.int32)
