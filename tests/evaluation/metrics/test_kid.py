import numpy as np
import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from toile.errors import ToileError
from toile.evaluation.metrics import kid
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.kid import (
    KernelMetric,
    kernel_distance,
    squared_discrepancy,
    weighted_discrepancies,
)
from toile.evaluation.metrics.registry import METRICS, make_metric
from toile.evaluation.metrics.spec import SetMetric


def vectors(count: int, seed: int, shift: float = 0.0, width: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, size=(count, width)).astype(np.float32) + np.float32(shift)


def test_agrees_with_torchmetrics_formula() -> None:
    first, second = vectors(40, 0), vectors(40, 1, shift=0.3)
    theirs = poly_mmd(torch.from_numpy(first).double(), torch.from_numpy(second).double())
    assert kernel_distance(first, second) == pytest.approx(float(theirs), rel=1e-9)


def test_agrees_with_the_sum_written_out_for_sets_of_different_sizes() -> None:
    x, y = vectors(5, 0).astype(np.float64), vectors(7, 1).astype(np.float64)

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / 6 + 1) ** 3

    within_x = sum(k(x[i], x[j]) for i in range(5) for j in range(5) if i != j) / 20
    within_y = sum(k(y[i], y[j]) for i in range(7) for j in range(7) if i != j) / 42
    across = sum(k(a, b) for a in x for b in y) / 35
    assert squared_discrepancy(x, y) == pytest.approx(within_x + within_y - 2 * across, rel=1e-10)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = vectors(30, 0), vectors(25, 1)
    whole = squared_discrepancy(first.astype(np.float64), second.astype(np.float64))
    monkeypatch.setattr(kid, "BLOCK", 7)
    assert squared_discrepancy(first.astype(np.float64), second.astype(np.float64)) == pytest.approx(whole)


def test_unbiased_around_zero_for_two_halves() -> None:
    found = []
    for seed in range(200):
        both = vectors(80, seed)
        found.append(kernel_distance(both[:40], both[40:]))
    error = np.std(found) / len(found) ** 0.5
    assert abs(np.mean(found)) < 3 * error
    assert min(found) < 0 < max(found)


def test_grows_with_the_shift_and_does_not_depend_on_the_order() -> None:
    first = vectors(50, 0)
    distances = [kernel_distance(first, vectors(50, 1, shift)) for shift in (0.0, 0.5, 1.0)]
    assert distances == sorted(distances)
    second = vectors(50, 1, 0.5)
    order = np.random.default_rng(2).permutation(50)
    assert kernel_distance(first[order], second) == pytest.approx(kernel_distance(first, second), rel=1e-9)
    assert kernel_distance(second, first) == pytest.approx(kernel_distance(first, second), rel=1e-9)


def test_subsets_are_seeded_and_average_out() -> None:
    first, second = vectors(60, 0), vectors(80, 1, shift=1.0)
    options = {"subsets": 50, "subset_size": 20}
    assert kernel_distance(first, second, **options) == kernel_distance(first, second, **options)
    assert kernel_distance(first, second, **options) != kernel_distance(first, second, seed=1, **options)
    whole = squared_discrepancy(first.astype(np.float64), second.astype(np.float64))
    assert kernel_distance(first, second, **options) == pytest.approx(whole, rel=0.3)


def test_a_vector_counted_twice_is_no_pair_of_its_own() -> None:
    first, second = vectors(6, 0).astype(np.float64), vectors(6, 1).astype(np.float64)
    counts = np.random.default_rng(0).multinomial(6, np.full(6, 1 / 6), size=3000).T.astype(np.float64)
    found = weighted_discrepancies(first, second, counts, np.ones((6, 3000)))
    error = found.std() / 3000**0.5
    assert found.mean() == pytest.approx(squared_discrepancy(first, second), abs=4 * error)


def test_the_registered_metric_is_the_function() -> None:
    metric = make_metric("kid", Backbones())
    assert isinstance(metric, KernelMetric) and isinstance(metric, SetMetric)
    first, second = vectors(20, 0), vectors(20, 1)
    assert metric(first, second) == kernel_distance(first, second)
    assert METRICS["kid"].kind == "set" and metric.extractor == "inception"


def test_a_single_vector_is_refused() -> None:
    with pytest.raises(ToileError, match="not 1 and 20"):
        kernel_distance(vectors(1, 0), vectors(20, 1))
