"""Bootstrap intervals of a mean over pictures, and of the difference between two methods on them.

Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", percentile intervals.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean and the interval it lies in with the asked-for confidence."""

    mean: float
    """The mean over the pictures."""
    low: float
    """The interval's lower end."""
    high: float
    """The interval's upper end."""

    def __str__(self) -> str:
        """For tables: mean and ends, with three decimals."""
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap_mean(
    values: Float[np.ndarray, " N"], *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The mean of per-image values with its percentile interval over resampled pictures.

    The same number of values and the same seed resample the same pictures.

    Raises:
        ToileError: when there are no values, one is not finite, or the confidence is not inside (0, 1).
    """
    values = np.asarray(values, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        problem = (
            "there are none" if not values.size else f"{int((~np.isfinite(values)).sum())} are not finite"
        )
        raise ToileError(f"an interval needs finite values; {problem}")
    if not 0 < confidence < 1:
        raise ToileError(f"the confidence is {confidence}; it must lie between 0 and 1, for example 0.95")
    picked = np.random.default_rng(seed).integers(0, len(values), size=(resamples, len(values)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(values[picked].mean(axis=1), [tail, 1 - tail])
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def bootstrap_difference(
    first: Float[np.ndarray, " _"],
    second: Float[np.ndarray, " _"],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The mean of first - second over the same pictures, resampled as pairs.

    An interval that leaves out 0 is a difference that the choice of pictures does not explain.

    Raises:
        ToileError: as `bootstrap_mean`, and when the two do not have the same number of values.
    """
    if len(first) != len(second):
        raise ToileError(
            f"a paired difference needs as many values on each side, not {len(first)} and {len(second)}"
        )
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return bootstrap_mean(difference, confidence=confidence, resamples=resamples, seed=seed)
