import math
from dataclasses import replace

import numpy as np
import pytest

from toile.evaluation.reports.breakdown import NOTHING_HARD, breakdown, summarise


def test_groups_hold_the_items_with_that_category_or_label(three) -> None:
    result = three[0]
    groups = {(group.kind, group.name): group for group in breakdown(result)}
    categories = [group for (kind, _), group in groups.items() if kind == "category"]
    assert sorted(place for group in categories for place in group.places) == list(range(result.count))
    street = groups["difficulty", "street"]
    assert [result.items[place].identifier.partition("-")[0] for place in street.places] == ["street"] * 6
    mean = np.mean([result.values["ssim"][place] for place in street.places])
    assert street.figures["ssim"].value == pytest.approx(float(mean))


def test_one_group_alone_says_nothing_and_is_left_out(three) -> None:
    alike = tuple(replace(item, category="upper", labels=()) for item in three[0].items)
    assert breakdown(replace(three[0], items=alike)) == ()


def test_items_without_labels_come_last(three) -> None:
    first, *others = three[0].items
    groups = breakdown(replace(three[0], items=(replace(first, labels=()), *others)))
    assert groups[-1].name == NOTHING_HARD and groups[-1].places == (0,)


def test_a_group_stands_out_only_beyond_its_interval(three) -> None:
    group = next(group for group in breakdown(three[0]) if group.name == "street")
    figure = group.figures["ssim"]
    assert not group.stands_out("ssim", figure.value)
    assert group.stands_out("ssim", figure.high + 1e-9)
    assert group.stands_out("ssim", figure.low - 1e-9)


def test_a_small_group_has_no_interval_and_never_stands_out(three) -> None:
    first, *others = three[0].items
    changed = (replace(first, category="hat"), *others)
    group = next(group for group in breakdown(replace(three[0], items=changed)) if group.name == "hat")
    assert math.isnan(group.figures["ssim"].low) and not group.stands_out("ssim", 0.0)


def test_what_is_unknown_or_infinite_has_no_interval() -> None:
    assert summarise([1.0, None, 3.0]).value == 2
    assert math.isnan(summarise([None]).value)
    infinite = summarise([1.0, math.inf])
    assert infinite.value == math.inf and math.isnan(infinite.low)
    assert math.isnan(summarise([1.0]).high)
