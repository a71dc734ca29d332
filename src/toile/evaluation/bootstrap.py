"""Bootstrap intervals of figures, of the difference between two methods, and a test of that difference.

Legend: `N` pictures, `M` pictures of the real set, `D` numbers of a feature vector.

Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", percentile intervals.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32

from toile.errors import ToileError
from toile.evaluation.metrics.frechet import FrechetMetric, weighted_frechet_distance
from toile.evaluation.metrics.kid import KernelMetric, weighted_discrepancies

SetMetric = FrechetMetric | KernelMetric
Counts = Float[np.ndarray, "_ R"]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure and the interval it lies in with the asked-for confidence."""

    mean: float
    """The mean over the pictures; for a distance of sets, that distance."""
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
    tails = _tails(confidence)
    picked = np.random.default_rng(seed).integers(0, len(values), size=(resamples, len(values)))
    low, high = np.quantile(values[picked].mean(axis=1), tails)
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


def sign_flip_test(
    first: Float[np.ndarray, " _"], second: Float[np.ndarray, " _"], *, flips: int = 10_000, seed: int = 0
) -> float:
    """The two-sided p-value of "the two methods are alike", from per-image values of the same pictures.

    If they were alike, each picture's difference might as well have the other sign: the share of random
    signs under which the mean is at least as far from 0 as it is, itself counted among them.

    Raises:
        ToileError: when the two do not have the same number of values, there are none, or one is not finite.

    Source: Fisher 1935, "The design of experiments"; the count of Phipson and Smyth 2010.
    """
    if len(first) != len(second):
        raise ToileError(
            f"a paired test needs as many values on each side, not {len(first)} and {len(second)}"
        )
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not difference.size or not np.isfinite(difference).all():
        raise ToileError(f"a paired test needs finite values; {difference.size} were given")
    random = np.random.default_rng(seed)
    seen, extreme = abs(difference.sum()), 0
    slack = 1e-12 * np.abs(difference).sum()
    for start in range(0, flips, 1000):
        signs = random.integers(0, 2, size=(min(1000, flips - start), len(difference))) * 2.0 - 1
        extreme += int((np.abs(signs @ difference) >= seen - slack).sum())
    return (extreme + 1) / (flips + 1)


def bootstrap_sets(
    metric: SetMetric,
    real: Float32[np.ndarray, "M D"],
    predicted: Float32[np.ndarray, "N D"],
    *,
    confidence: float = 0.95,
    resamples: int = 100,
    seed: int = 0,
) -> Interval:
    """A distance of two sets with its interval over resampled pictures of both.

    Ours: the interval is moved by the difference between the distance and the mean of the resampled ones.
    A resampled set has fewer different pictures than the set, and therefore lies farther away: the plain
    percentiles of a Fréchet distance often leave out the distance itself. The intervals are a little too
    narrow for small sets: at a confidence of 90 % they held the mean figure of such sets 85 to 91 times in a
    hundred (normal vectors of four numbers, 50 or 150 on a side).

    Raises:
        ToileError: when the confidence is not inside (0, 1), or a set has fewer than two vectors.
    """
    tails = _tails(confidence)
    distance = metric(real, predicted)
    random = np.random.default_rng(seed)
    counts = [_drawn(random, len(vectors), resamples) for vectors in (real, predicted)]
    return _moved(distance, _resampled(metric, real, predicted, counts[0], counts[1]), tails)


def bootstrap_sets_difference(
    metric: SetMetric,
    real: Float32[np.ndarray, "M D"],
    first: Float32[np.ndarray, "_ D"],
    second: Float32[np.ndarray, "_ D"],
    *,
    confidence: float = 0.95,
    resamples: int = 100,
    seed: int = 0,
) -> Interval:
    """The distance of `first` less that of `second`, both from `real`, with its interval.

    The two are methods' vectors of the same items in the same order, and are resampled as pairs.

    Raises:
        ToileError: as `bootstrap_sets`, and when the two do not have the same number of vectors.
    """
    if len(first) != len(second):
        raise ToileError(
            f"a paired difference needs as many vectors on each side, not {len(first)} and {len(second)}"
        )
    tails = _tails(confidence)
    difference = metric(real, first) - metric(real, second)
    random = np.random.default_rng(seed)
    of_real, of_both = (_drawn(random, len(vectors), resamples) for vectors in (real, first))
    gaps = [_resampled(metric, real, vectors, of_real, of_both) for vectors in (first, second)]
    return _moved(difference, gaps[0] - gaps[1], tails)


def _tails(confidence: float) -> list[float]:
    if not 0 < confidence < 1:
        raise ToileError(f"the confidence is {confidence}; it must lie between 0 and 1, for example 0.95")
    return [(1 - confidence) / 2, (1 + confidence) / 2]


def _drawn(random: np.random.Generator, count: int, resamples: int) -> Counts:
    """How often each of `count` pictures is drawn in each resample."""
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).T.astype(np.float64)


def _resampled(
    metric: SetMetric,
    real: Float32[np.ndarray, "M D"],
    predicted: Float32[np.ndarray, "N D"],
    of_real: Counts,
    of_predicted: Counts,
) -> Float[np.ndarray, " R"]:
    """The distances of all resamples."""
    if isinstance(metric, KernelMetric):
        return weighted_discrepancies(
            real.astype(np.float64), predicted.astype(np.float64), of_real, of_predicted
        )
    tensors = [torch.from_numpy(array) for array in (real, predicted, of_real, of_predicted)]
    return np.array(
        [
            weighted_frechet_distance(tensors[0], tensors[1], tensors[2][:, r], tensors[3][:, r])
            for r in range(of_real.shape[1])
        ]
    )


def _moved(figure: float, found: Float[np.ndarray, " R"], tails: list[float]) -> Interval:
    low, high = np.quantile(found, tails) - found.mean() + figure
    return Interval(mean=figure, low=float(low), high=float(high))
