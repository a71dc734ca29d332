"""The Fréchet distance between two sets of feature vectors.

Legend: `N` `M` vectors of either set, `C` numbers in each.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from toile.errors import ToileError


def frechet_distance(first: Float[Tensor, "N C"], second: Float[Tensor, "M C"]) -> float:
    """How far two sets of vectors lie apart, as Gaussians; 0 for equal sets, lower is better.

    d² = |μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½), with the sample means μ and covariances Σ. The trace of the
    root is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric, so that no complex numbers appear.

    Small sets lie farther apart than large ones: compare only figures of as many vectors.

    Raises:
        ToileError: when a set has fewer than two vectors.

    Source: Dowson and Landau 1982; Heusel et al. 2017, Eq. 6 (there on Inception's features: FID).
    """
    if min(len(first), len(second)) < 2:
        raise ToileError(
            f"a Fréchet distance needs at least two pictures on each side, not {len(first)} and {len(second)}"
        )
    first, second = first.double(), second.double()
    shift = (first.mean(dim=0) - second.mean(dim=0)).square().sum()
    covariance_1, covariance_2 = _covariance(first), _covariance(second)
    root = _root(covariance_1)
    between = _root(root @ covariance_2 @ root)
    distance = shift + (covariance_1 + covariance_2 - 2 * between).trace()
    return max(float(distance), 0.0)


def _covariance(vectors: Float[Tensor, "N C"]) -> Float[Tensor, "C C"]:
    centred = vectors - vectors.mean(dim=0)
    covariance: Tensor = centred.T @ centred / (len(vectors) - 1)
    return covariance


def _root(matrix: Float[Tensor, "C C"]) -> Float[Tensor, "C C"]:
    """The symmetric root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root
