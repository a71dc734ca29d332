import numpy as np
import pytest
from scipy.stats import bootstrap

from toile.errors import ToileError
from toile.evaluation.bootstrap import bootstrap_difference, bootstrap_mean


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
