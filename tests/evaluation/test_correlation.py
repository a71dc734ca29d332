import numpy as np
import pytest
from scipy.stats import spearmanr

from toile.errors import ToileError
from toile.evaluation.correlation import rank_correlation


def test_agrees_with_scipy_ties_included() -> None:
    random = np.random.default_rng(0)
    first = random.normal(size=60)
    second = first + random.normal(size=60)
    for a, b in ((first, second), (np.round(first), np.round(second))):
        found = rank_correlation(a, b, resamples=50)
        assert found.mean == pytest.approx(spearmanr(a, b).statistic, abs=1e-6)
        assert found.low < found.mean < found.high


def test_only_the_order_counts() -> None:
    values = np.array([0.1, 5.0, 2.0, 3.0])
    assert rank_correlation(values, np.exp(values), resamples=20).mean == pytest.approx(1, abs=1e-6)
    assert rank_correlation(values, -(values**3), resamples=20).mean == pytest.approx(-1, abs=1e-6)


def test_seeded_and_narrower_with_more_pairs() -> None:
    random = np.random.default_rng(1)
    first = random.normal(size=200)
    second = first + random.normal(size=200)
    many, few = rank_correlation(first, second, resamples=100), rank_correlation(first[:20], second[:20])
    assert many == rank_correlation(first, second, resamples=100)
    assert many.high - many.low < few.high - few.low


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(ToileError, match="not 3 and 4"):
        rank_correlation(np.arange(3), np.arange(4))
    with pytest.raises(ToileError, match="not 2 and 2"):
        rank_correlation(np.arange(2), np.arange(2))
    with pytest.raises(ToileError, match="are equal"):
        rank_correlation(np.ones(5), np.arange(5))
    with pytest.raises(ToileError, match="1 figures are not finite"):
        rank_correlation(np.array([1.0, 2.0, np.nan]), np.arange(3))
