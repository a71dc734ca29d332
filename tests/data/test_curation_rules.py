import pytest

from toile.data.curation_rules import BROKEN, Thresholds, best_share, judge
from toile.data.hardness_measures import REASONS, Measures
from toile.errors import ToileError


def measures(detail: float | None = 1.0, unknown: tuple[str, ...] = (), **scores: float) -> Measures:
    known = {name: scores.get(name, 0.0) for name in REASONS if name not in unknown}
    return Measures(scores=known, unknown=dict.fromkeys(unknown, "missing"), hidden_detail=detail)


def verdict(**what):
    return judge(measures(**what), Thresholds())


def test_a_flawless_pair_has_no_reason_and_full_quality():
    found = verdict()
    assert (found.reasons, found.hard_case, found.quality, found.acceptable) == (frozenset(), False, 1, True)


@pytest.mark.parametrize("reason", REASONS)
def test_a_score_counts_beyond_its_threshold(reason):
    limit = getattr(Thresholds(), reason)
    assert verdict(**{reason: limit}).reasons == frozenset()
    beyond = verdict(**{reason: limit + 0.01})
    assert beyond.reasons == {reason}
    assert beyond.acceptable == (reason == "extreme_proportion")  # that is mended
    assert beyond.quality == pytest.approx(0.8)


def test_what_hides_no_detail_stays_as_a_hard_case():
    hidden, plain = verdict(occlusion=0.5), verdict(occlusion=0.5, detail=0.05)
    assert hidden.reasons == {"occlusion"} and not hidden.hard_case
    assert plain.reasons == frozenset() and plain.hard_case
    assert verdict(occlusion=0.2).hard_case and verdict(truncation=0.2).hard_case
    assert verdict(occlusion=0.5, detail=None).reasons == {"occlusion"}


def test_a_turned_garment_is_not_narrow_as_well():
    assert verdict(side_view=0.9, extreme_proportion=0.9).reasons == {"side_view"}


def test_what_is_unknown_speaks_neither_against_a_pair_nor_for_it():
    found = verdict(unknown=("occlusion", "mismatch"), detail=None)
    assert found.reasons == frozenset() and found.quality == pytest.approx(0.6)


def test_the_best_of_the_acceptable_are_kept():
    verdicts = [
        verdict(mismatch=0.3), verdict(side_view=0.9), verdict(), verdict(extreme_proportion=0.9), BROKEN,
    ]  # fmt: skip
    assert best_share(verdicts, 0.2) == [False, False, True, False, False]
    assert best_share(verdicts, 0.4) == [True, False, True, False, False]
    assert best_share(verdicts, 1.0) == [True, False, True, True, False]
    assert best_share([verdict()] * 4, 0.5) == [True, True, False, False]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ToileError, match="share is"):
        best_share([verdict()], share)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_thresholds_that_are_none_are_refused(value):
    with pytest.raises(ToileError, match="threshold mismatch"):
        Thresholds(mismatch=value)
