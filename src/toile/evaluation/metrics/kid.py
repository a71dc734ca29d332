"""The kernel distance between two sets of feature vectors, and the metrics that are one.

Legend: `N` `M` vectors of either set, `D` numbers in each.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from toile.errors import ToileError
from toile.evaluation.metrics.spec import MetricSpec

SUBSETS = 100
SUBSET_SIZE = 1000
"""clean-fid's numbers, and those of the paper's code."""
BLOCK = 1024
"""Rows of the kernel matrix that are held at a time."""


@dataclass(frozen=True, kw_only=True)
class KernelMetric:
    """A kernel distance on the vectors of one network: KID, KD-dolls.

    Which vectors make up a subset follows from the seed and their order: give them sorted by identifier, as
    `FeatureAccumulator.features` does.
    """

    spec: MetricSpec
    """Name and definition."""
    extractor: str
    """The name of the `FeatureExtractor` whose vectors it compares."""
    subsets: int = SUBSETS
    """How many subsets are averaged."""
    subset_size: int = SUBSET_SIZE
    """Vectors of each set in a subset; at most as many as the smaller set has."""
    seed: int = 0
    """Draws the subsets."""

    def __call__(self, real: Float32[np.ndarray, "N D"], predicted: Float32[np.ndarray, "M D"]) -> float:
        """The distance of two sets of vectors, at least two in each; not multiplied by 1000."""
        return kernel_distance(
            real, predicted, subsets=self.subsets, subset_size=self.subset_size, seed=self.seed
        )


def kernel_distance(
    first: Float[np.ndarray, "N D"],
    second: Float[np.ndarray, "M D"],
    *,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """The mean of `squared_discrepancy` over subsets drawn without putting back; about 0 for equal sources.

    Where a subset is as large as both sets, all subsets are the same, and one is computed.

    Raises:
        ToileError: when a set has fewer than two vectors.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs" (there on Inception's features: KID).
    """
    smaller = min(len(first), len(second))
    if smaller < 2:
        raise ToileError(
            f"a kernel distance needs at least two pictures on each side, not {len(first)} and {len(second)}"
        )
    size = min(smaller, subset_size)
    x, y = first.astype(np.float64), second.astype(np.float64)
    if size == len(x) == len(y):
        return squared_discrepancy(x, y)
    random = np.random.default_rng(seed)
    found = [
        squared_discrepancy(
            x[random.choice(len(x), size, replace=False)], y[random.choice(len(y), size, replace=False)]
        )
        for _ in range(subsets)
    ]
    return float(np.mean(found))


def polynomial_kernel(
    x: Float64[np.ndarray, "N D"], y: Float64[np.ndarray, "M D"]
) -> Float64[np.ndarray, "N M"]:
    """k(x, y) = (xᵀy / D + 1)³.

    Source: Bińkowski et al. 2018, Sec. 4.
    """
    kernel: np.ndarray = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def squared_discrepancy(first: Float64[np.ndarray, "N D"], second: Float64[np.ndarray, "M D"]) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy; may be below 0.

    Σ_{i≠j} k(x_i, x_j) / N(N-1) + Σ_{i≠j} k(y_i, y_j) / M(M-1) - 2 Σ_ij k(x_i, y_j) / NM.

    Source: Gretton et al. 2012, "A kernel two-sample test", Eq. 3.
    """
    ones_1, ones_2 = np.ones((len(first), 1)), np.ones((len(second), 1))
    return float(weighted_discrepancies(first, second, ones_1, ones_2)[0])


def weighted_discrepancies(
    first: Float64[np.ndarray, "N D"],
    second: Float64[np.ndarray, "M D"],
    first_weights: Float64[np.ndarray, "N R"],
    second_weights: Float64[np.ndarray, "M R"],
) -> Float64[np.ndarray, " R"]:
    """`squared_discrepancy` for R weightings of the vectors at once; a vector never meets itself.

    A resampled set gives a vector the number of times that it was drawn. That two copies of one vector do
    not count as a pair is what keeps the estimate unbiased. Memory: a block of rows of the kernel matrix.
    """
    within = _within(first, first_weights) + _within(second, second_weights)
    across = np.zeros(first_weights.shape[1])
    for rows in _blocks(len(first)):
        kernel = polynomial_kernel(first[rows], second)
        across += (first_weights[rows] * (kernel @ second_weights)).sum(axis=0)
    discrepancies: np.ndarray = within - 2 * across / (first_weights.sum(0) * second_weights.sum(0))
    return discrepancies


def _within(vectors: Float64[np.ndarray, "N D"], weights: Float64[np.ndarray, "N R"]) -> np.ndarray:
    """The weighted mean of the kernel over pairs of different vectors, (R,)."""
    total = np.zeros(weights.shape[1])
    for rows in _blocks(len(vectors)):
        kernel = polynomial_kernel(vectors[rows], vectors)
        kernel[np.arange(len(kernel)), np.arange(rows.start, rows.start + len(kernel))] = 0
        total += (weights[rows] * (kernel @ weights)).sum(axis=0)
    pairs: np.ndarray = weights.sum(axis=0) ** 2 - np.square(weights).sum(axis=0)
    mean: np.ndarray = total / pairs
    return mean


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
