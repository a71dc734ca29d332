import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test

from toile.errors import ToileError
from toile.evaluation.bootstrap import (
    SetMetric,
    bootstrap_difference,
    bootstrap_mean,
    bootstrap_sets,
    bootstrap_sets_difference,
    sign_flip_test,
)
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.frechet import FrechetMetric
from toile.evaluation.metrics.kid import KernelMetric
from toile.evaluation.metrics.registry import make_metric


def set_metric(name: str) -> SetMetric:
    metric = make_metric(name, Backbones())
    assert isinstance(metric, FrechetMetric | KernelMetric)
    return metric


def vectors(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, size=(count, 4)).astype(np.float32)


def test_the_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).gamma(2, size=150)
    mine = bootstrap_mean(values, resamples=5000)
    theirs = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=5000, rng=np.random.default_rng(1)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert mine.mean == pytest.approx(values.mean())
    assert mine.low == pytest.approx(theirs.low, abs=0.05 * width)
    assert mine.high == pytest.approx(theirs.high, abs=0.05 * width)


def test_intervals_cover_the_true_mean_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    found = [bootstrap_mean(random.normal(5, 2, size=60), resamples=400, seed=s) for s in range(300)]
    covered = np.mean([interval.low <= 5 <= interval.high for interval in found])
    assert 0.90 <= covered <= 0.98


def test_seeded_and_narrower_with_less_confidence() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap_mean(values) == bootstrap_mean(values)
    assert bootstrap_mean(values) != bootstrap_mean(values, seed=1)
    wide, narrow = bootstrap_mean(values), bootstrap_mean(values, confidence=0.5)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_a_paired_difference_sees_what_two_intervals_hide() -> None:
    random = np.random.default_rng(0)
    second = random.normal(0, 1, size=80)
    first = second + 0.1 + random.normal(0, 0.05, size=80)
    assert bootstrap_mean(first).low < bootstrap_mean(second).high
    difference = bootstrap_difference(first, second)
    assert 0 < difference.low < difference.mean < difference.high
    assert difference.mean == pytest.approx((first - second).mean())


def test_constant_values_have_no_width() -> None:
    interval = bootstrap_mean(np.full(9, 0.25))
    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)
    assert str(interval) == "0.250 [0.250, 0.250]"


def test_what_cannot_be_resampled_is_refused() -> None:
    with pytest.raises(ToileError, match="there are none"):
        bootstrap_mean(np.array([]))
    with pytest.raises(ToileError, match="1 are not finite"):
        bootstrap_mean(np.array([1.0, np.inf]))
    with pytest.raises(ToileError, match=r"confidence is 95\.0"):
        bootstrap_mean(np.ones(3), confidence=95.0)
    with pytest.raises(ToileError, match="not 3 and 2"):
        bootstrap_difference(np.ones(3), np.ones(2))


def test_the_sign_flip_test_agrees_with_scipy() -> None:
    random = np.random.default_rng(0)
    second = random.normal(size=25)
    first = second + random.normal(0.25, 1, size=25)
    theirs = permutation_test(
        (first, second),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).pvalue
    assert sign_flip_test(first, second) == pytest.approx(theirs, abs=0.02)


def test_the_sign_flip_test_is_exact_where_it_can_be_counted() -> None:
    first = np.array([1.0, 2.0, 3.0])
    assert sign_flip_test(first, np.zeros(3), flips=40_000) == pytest.approx(2 / 8, abs=0.01)
    assert sign_flip_test(first, first) == 1


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    random = np.random.default_rng(0)
    found = [
        sign_flip_test(random.normal(size=20), random.normal(size=20), flips=400, seed=s) for s in range(300)
    ]
    assert 0.02 <= np.mean(np.array(found) < 0.05) <= 0.09


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_intervals_of_sets_hold_the_figure_and_shrink_with_more_pictures(name: str) -> None:
    metric = set_metric(name)
    few = bootstrap_sets(metric, vectors(60, 0), vectors(60, 1, 0.5))
    many = bootstrap_sets(metric, vectors(600, 2), vectors(600, 3, 0.5))
    for interval in (few, many):
        assert interval.low < interval.mean < interval.high
    assert many.high - many.low < 0.6 * (few.high - few.low)
    assert few.mean == metric(vectors(60, 0), vectors(60, 1, 0.5))
    assert few == bootstrap_sets(metric, vectors(60, 0), vectors(60, 1, 0.5))
    assert few != bootstrap_sets(metric, vectors(60, 0), vectors(60, 1, 0.5), seed=1)


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_intervals_of_sets_are_as_wide_as_figures_of_other_sets_differ(name: str) -> None:
    """For the distance that sets of this size have on the average; coverage falls a little short of 90 %."""
    metric = set_metric(name)
    pairs = [(vectors(50, 2 * seed), vectors(50, 2 * seed + 1, 0.6)) for seed in range(60)]
    figures = np.array([metric(real, predicted) for real, predicted in pairs])
    found = [bootstrap_sets(metric, *pair, confidence=0.9, resamples=40) for pair in pairs]
    width = np.mean([interval.high - interval.low for interval in found])
    assert width == pytest.approx(2 * 1.645 * figures.std(), rel=0.2)
    assert np.mean([interval.low <= figures.mean() <= interval.high for interval in found]) > 0.7


@pytest.mark.parametrize("name", ["fid", "kid"])
def test_paired_differences_of_sets_have_their_sign(name: str) -> None:
    metric = set_metric(name)
    real, near = vectors(80, 0), vectors(80, 1, 0.3)
    far = near + np.float32(0.4)
    gain = bootstrap_sets_difference(metric, real, near, far)
    assert gain.high < 0
    assert gain.mean == pytest.approx(metric(real, near) - metric(real, far))
    none = bootstrap_sets_difference(metric, real, near, near.copy())
    assert (none.low, none.mean, none.high) == pytest.approx((0, 0, 0), abs=1e-9)


def test_unequal_pairs_and_odd_confidences_are_refused() -> None:
    with pytest.raises(ToileError, match="not 3 and 2"):
        sign_flip_test(np.ones(3), np.ones(2))
    with pytest.raises(ToileError, match="finite values"):
        sign_flip_test(np.array([np.nan]), np.ones(1))
    with pytest.raises(ToileError, match="not 8 and 9"):
        bootstrap_sets_difference(set_metric("fid"), vectors(8, 0), vectors(8, 1), vectors(9, 2))
    with pytest.raises(ToileError, match="confidence is 2"):
        bootstrap_sets(set_metric("fid"), vectors(8, 0), vectors(8, 1), confidence=2.0)
