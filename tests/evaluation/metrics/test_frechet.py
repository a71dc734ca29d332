import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from toile.errors import ToileError
from toile.evaluation.metrics.accumulators import FeatureAccumulator
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.frechet import (
    FrechetMetric,
    frechet_distance,
    frechet_from_moments,
    weighted_frechet_distance,
)
from toile.evaluation.metrics.registry import make_metric


def vectors(count: int, seed: int, width: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=generator)
    return torch.randn(count, width, generator=generator) @ mixing + torch.randn(width, generator=generator)


def test_against_the_formula_with_scipys_root() -> None:
    first, second = vectors(40, 0), vectors(60, 1)
    a, b = first.double().numpy(), second.double().numpy()
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(cov_a @ cov_b).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)


def test_a_shift_alone_is_its_square() -> None:
    first = vectors(30, 0)
    assert frechet_distance(first, first + torch.tensor([3.0, 0, 0, 0, 4.0])) == pytest.approx(25, rel=1e-5)


def test_one_number_each_is_known_in_closed_form() -> None:
    first, second = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [6.0]])
    expected = (1 - 3) ** 2 + (2**0.5 - 18**0.5) ** 2
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_equal_sets_are_at_distance_zero_even_with_fewer_vectors_than_numbers() -> None:
    few = vectors(4, 2, width=12)
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(few, few.flip(0)) == pytest.approx(0, abs=1e-6)


def test_symmetric_and_never_negative() -> None:
    first, second = vectors(20, 0), vectors(20, 3)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first), rel=1e-6)
    assert frechet_distance(first, first) >= 0


def test_a_single_vector_is_refused() -> None:
    with pytest.raises(ToileError, match="not 1 and 20"):
        frechet_distance(vectors(1, 0), vectors(20, 1))


def test_moments_give_what_vectors_give() -> None:
    first, second = vectors(40, 0), vectors(60, 1)
    moments = [
        (v.double().mean(0).numpy(), np.cov(v.double().numpy(), rowvar=False)) for v in (first, second)
    ]
    distance = frechet_from_moments(*moments[0], *moments[1])
    assert distance == pytest.approx(frechet_distance(first, second), rel=1e-9)


@pytest.mark.parametrize("count", [8, 30])
def test_against_scipys_root_with_fewer_vectors_than_numbers_too(count: int) -> None:
    first, second = vectors(count, 0, width=12), vectors(count + 3, 1, width=12)
    a, b = first.double().numpy(), second.double().numpy()
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = sqrtm(cov_a @ cov_b).real
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-5)


def test_counts_are_repetitions() -> None:
    first, second = vectors(12, 0), vectors(9, 1)
    random = np.random.default_rng(0)
    picked_1, picked_2 = random.integers(0, 12, 12), random.integers(0, 9, 9)
    counts = [
        torch.from_numpy(np.bincount(p, minlength=n)).float() for p, n in ((picked_1, 12), (picked_2, 9))
    ]
    repeated = frechet_distance(first[picked_1], second[picked_2])
    assert weighted_frechet_distance(first, second, *counts) == pytest.approx(repeated, rel=1e-6)


def test_grows_with_noise() -> None:
    first = vectors(100, 0)
    noise = torch.randn(first.shape, generator=torch.Generator().manual_seed(5))
    distances = [frechet_distance(first, first + scale * noise) for scale in (0.0, 0.5, 1.0, 2.0)]
    assert distances == sorted(distances) and distances[0] == pytest.approx(0, abs=1e-9)


def test_batches_merging_and_order_make_no_difference() -> None:
    metric = make_metric("fid", Backbones())
    assert isinstance(metric, FrechetMetric)
    sets = [vectors(50, seed).numpy() for seed in (0, 1)]
    whole = metric(*sets)
    gathered = []
    for values in sets:
        parts = [FeatureAccumulator(5), FeatureAccumulator(5)]
        for number, start in enumerate(range(0, 50, 7)):
            rows = range(start, min(start + 7, 50))
            parts[number % 2].add([str(row) for row in rows], values[list(rows)])
        parts[1].merge(parts[0])
        gathered.append(parts[1])
    assert metric.from_moments(*gathered) == pytest.approx(whole, rel=1e-6)
    assert metric(sets[0][::-1].copy(), sets[1]) == pytest.approx(whole, rel=1e-9)
