"""Smooth random fields, equal on every machine: cubic B-splines over a coarse random grid."""

import math
from functools import lru_cache

import numpy as np

_QUANTUM = 4096.0


@lru_cache(maxsize=64)
def _basis(length: int, knots: int) -> np.ndarray:
    """Weights of `knots` B-spline coefficients at `length` pixel centres, (length, knots) float64."""
    position = (np.arange(length) + 0.5) / length * (knots - 3)
    index = np.minimum(position.astype(int), knots - 4)
    f = position - index
    weights = np.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3]) / 6.0
    matrix = np.zeros((length, knots))
    for offset in range(4):
        matrix[np.arange(length), index + offset] = weights[offset]
    return matrix


def sine(angles: np.ndarray) -> np.ndarray:
    """Sine of each angle (radians) as the C library computes it: NumPy's own differs between processors."""
    return np.array([math.sin(angle) for angle in angles.ravel().tolist()]).reshape(angles.shape)


def cosine(angles: np.ndarray) -> np.ndarray:
    """Cosine, like `sine`."""
    return np.array([math.cos(angle) for angle in angles.ravel().tolist()]).reshape(angles.shape)


def smooth_field(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Interpolates a coarse grid (at least 4x4) smoothly over a picture, float32 (H, W).

    Rounded to a fixed step, so that the last bits of a sum, which differ between processors, never show.
    """
    rows, columns = _basis(size[0], grid.shape[0]), _basis(size[1], grid.shape[1])
    field = np.einsum("hr,rw->hw", rows, np.einsum("rc,wc->rw", grid, columns))
    return np.asarray(np.rint(field * _QUANTUM) / _QUANTUM, np.float32)
