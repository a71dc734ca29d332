import math
from dataclasses import replace

from toile.evaluation.reports.cases import extreme_cases


def test_the_worst_and_the_best_follow_the_direction(three) -> None:
    similarity, error = (extreme_cases(three[0], metric, 3) for metric in ("ssim", "l1_within"))
    values = three[0].values["ssim"]
    assert [case.value for case in similarity.worst] == sorted(values)[:3]
    assert [case.value for case in similarity.best] == sorted(values, reverse=True)[:3]
    assert [case.place for case in error.worst] == [case.place for case in similarity.worst]


def test_no_item_is_both_and_none_is_lost(three) -> None:
    found = extreme_cases(three[0], "ssim", 100)
    places = [case.place for case in (*found.worst, *found.best)]
    assert sorted(places) == list(range(three[0].count))


def test_undefined_values_are_left_out_and_equal_ones_keep_their_order(three) -> None:
    values = (None, math.nan, math.inf, *[1.0] * 9)
    found = extreme_cases(replace(three[0], values={"ssim": values}), "ssim", 2)
    assert [case.place for case in found.worst] == [3, 4]
    assert found.best[0].value == math.inf
