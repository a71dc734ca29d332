"""The Fréchet distance between two sets of feature vectors, and the metrics that are one.

Legend: `N` `M` vectors of either set, `C` numbers in each, `K` the smaller of two counts.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from toile.errors import ToileError
from toile.evaluation.metrics.accumulators import FeatureAccumulator
from toile.evaluation.metrics.spec import MetricSpec


@dataclass(frozen=True, kw_only=True)
class FrechetMetric:
    """A Fréchet distance on the vectors of one network: FID, CLIP-FID, FD-dolls."""

    spec: MetricSpec
    """Name and definition."""
    extractor: str
    """The name of the `FeatureExtractor` whose vectors it compares."""

    def __call__(self, real: Float32[np.ndarray, "N C"], predicted: Float32[np.ndarray, "M C"]) -> float:
        """The distance of two sets of vectors, at least two in each."""
        return frechet_distance(torch.from_numpy(predicted), torch.from_numpy(real))

    def from_moments(self, real: FeatureAccumulator, predicted: FeatureAccumulator) -> float:
        """The same from moments alone, whatever processes they were gathered by."""
        return frechet_from_moments(predicted.mean, predicted.covariance, real.mean, real.covariance)


def frechet_distance(first: Float[Tensor, "N C"], second: Float[Tensor, "M C"]) -> float:
    """How far two sets of vectors lie apart, as Gaussians; 0 for equal sets, lower is better.

    d² = |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½), with the sample means μ and covariances Σ. With the centred
    vectors as rows of A₁ and A₂, Σ = AᵀA / (N - 1), and the trace of the root is the sum of the singular
    values of A₁ A₂ᵀ: no matrix of C × C has to be taken apart when there are fewer vectors than numbers.

    Small sets lie farther apart than large ones: compare only figures of as many vectors.

    Raises:
        ToileError: when a set has fewer than two vectors.

    Source: Dowson and Landau 1982; Heusel et al. 2017, Eq. 6 (there on Inception's features: FID).
    """
    if min(len(first), len(second)) < 2:
        raise ToileError(
            f"a Fréchet distance needs at least two pictures on each side, not {len(first)} and {len(second)}"
        )
    shift = (first.double().mean(dim=0) - second.double().mean(dim=0)).square().sum()
    rows_1, rows_2 = _scaled_rows(first.double()), _scaled_rows(second.double())
    return _distance(shift, rows_1, rows_2)


def weighted_frechet_distance(
    first: Float[Tensor, "N C"],
    second: Float[Tensor, "M C"],
    first_counts: Float[Tensor, " N"],
    second_counts: Float[Tensor, " M"],
) -> float:
    """`frechet_distance` of sets that hold each vector as often as its count says, which may be never."""
    (mean_1, rows_1), (mean_2, rows_2) = (
        _counted_rows(vectors[counts > 0].double(), counts[counts > 0].double())
        for vectors, counts in ((first, first_counts), (second, second_counts))
    )
    return _distance((mean_1 - mean_2).square().sum(), rows_1, rows_2)


def frechet_from_moments(
    mean_1: Float64[np.ndarray, " C"],
    covariance_1: Float64[np.ndarray, "C C"],
    mean_2: Float64[np.ndarray, " C"],
    covariance_2: Float64[np.ndarray, "C C"],
) -> float:
    """The distance from means and covariances.

    The trace of the root is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric, so that no complex numbers appear.
    """
    first, second = torch.from_numpy(covariance_1), torch.from_numpy(covariance_2)
    values, vectors = torch.linalg.eigh((first + first.T) / 2)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    shift = float(np.square(mean_1 - mean_2).sum())
    return max(shift + float(first.trace() + second.trace() - 2 * between), 0.0)


def _distance(shift: Tensor, rows_1: Float[Tensor, "N C"], rows_2: Float[Tensor, "M C"]) -> float:
    """The distance from |μ₁ - μ₂|² and two matrices with AᵀA = Σ."""
    rows_1, rows_2 = _shortened(rows_1), _shortened(rows_2)
    between = torch.linalg.svdvals(rows_1 @ rows_2.T).sum()
    distance = shift + rows_1.square().sum() + rows_2.square().sum() - 2 * between
    return max(float(distance), 0.0)


def _scaled_rows(vectors: Float[Tensor, "N C"]) -> Float[Tensor, "N C"]:
    """A matrix A with AᵀA = Σ."""
    rows: Tensor = (vectors - vectors.mean(dim=0)) / (len(vectors) - 1) ** 0.5
    return rows


def _counted_rows(
    vectors: Float[Tensor, "N C"], counts: Float[Tensor, " N"]
) -> tuple[Float[Tensor, " C"], Float[Tensor, "N C"]]:
    """The mean, and a matrix A with AᵀA = Σ, of vectors that count more than once."""
    total = counts.sum()
    mean = counts @ vectors / total
    return mean, (vectors - mean) * (counts / (total - 1)).sqrt()[:, None]


def _shortened(rows: Float[Tensor, "N C"]) -> Float[Tensor, "K C"]:
    """At most C rows with the same RᵀR = AᵀA."""
    if len(rows) <= rows.shape[1]:
        return rows
    triangle: Tensor = torch.linalg.qr(rows, mode="r").R
    return triangle
