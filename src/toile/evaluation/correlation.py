"""How well one figure predicts the order of another: rank correlation with its interval."""

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torchmetrics.functional import spearman_corrcoef

from toile.errors import ToileError
from toile.evaluation.bootstrap import Interval


def rank_correlation(
    first: Shaped[np.ndarray, " _"],
    second: Shaped[np.ndarray, " _"],
    *,
    confidence: float = 0.95,
    resamples: int = 500,
    seed: int = 0,
) -> Interval:
    """Spearman's ρ of paired figures, -1 to 1, with its percentile interval over resampled pairs.

    1: whatever ranks higher in one ranks higher in the other. Ties share their mean rank.

    Raises:
        ToileError: when there are fewer than three pairs, another number on each side, one is not finite, or
            all figures of a side are equal, which have no order.

    Source: Spearman 1904, "The proof and measurement of association between two things".
    """
    pairs = _checked(first, second)  # (N, 2)
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        sample = pairs[generator.integers(0, len(pairs), size=len(pairs))]
        if (np.ptp(sample, axis=0) > 0).all():  # a resample of one pair alone has no order
            found.append(_spearman(sample))
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(mean=_spearman(pairs), low=float(low), high=float(high))


def _checked(first: np.ndarray, second: np.ndarray) -> Float[np.ndarray, "N 2"]:
    if len(first) != len(second) or len(first) < 3:
        raise ToileError(
            "a rank correlation needs as many figures on each side, at least three, "
            f"not {len(first)} and {len(second)}"
        )
    pairs = np.stack([first, second], axis=1).astype(np.float64)
    if not np.isfinite(pairs).all():
        raise ToileError(f"{int((~np.isfinite(pairs)).sum())} figures are not finite; leave those pairs out")
    if (np.ptp(pairs, axis=0) == 0).any():
        raise ToileError("all figures of one side are equal; a rank correlation needs different ones")
    return pairs


def _spearman(pairs: Float[np.ndarray, "N 2"]) -> float:
    ranked = torch.from_numpy(pairs)
    return float(spearman_corrcoef(ranked[:, 0].contiguous(), ranked[:, 1].contiguous()))
