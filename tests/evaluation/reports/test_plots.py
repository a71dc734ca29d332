import math
from xml.etree import ElementTree

import pytest

from toile.evaluation.protocols.result import Summary
from toile.evaluation.reports.plots import HEIGHT, MARGIN, WIDTH, Axis, histogram

FIGURE = Summary(value=0.5, low=0.4, high=0.6)


def parts(values, **changes):
    settings = {"figure": FIGURE, "decimals": 2, "label": "a < b", **changes}
    return ElementTree.fromstring(histogram(values, **settings))


def bars(svg):
    return [element for element in svg if element.get("class") == "bar"]


def test_bars_stand_within_the_plot_and_their_heights_are_the_counts() -> None:
    found = bars(parts([0.0] * 6 + [0.5] * 3 + [1.0]))
    heights = [float(bar.get("height")) for bar in found]
    assert [round(height / heights[-1]) for height in heights] == [6, 3, 1]
    for bar in found:
        assert (
            float(bar.get("x")) >= MARGIN and float(bar.get("x")) + float(bar.get("width")) <= WIDTH - MARGIN
        )
        assert 0 < float(bar.get("y")) < HEIGHT


def test_the_mean_stands_where_the_axis_says() -> None:
    (line,) = [part for part in parts([0.0, 1.0]) if part.get("class") == "mean" and part.tag == "line"]
    assert float(line.get("x1")) == pytest.approx(Axis(low=0, high=1).place(0.5), abs=0.1)


def test_a_mark_beyond_the_values_widens_the_axis() -> None:
    (line,) = [part for part in parts([1.0, 2.0], mark=0.0) if part.get("class") == "mark"]
    assert float(line.get("x1")) == MARGIN


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0], [1e300, 1e300], [-5.0] * 4])
def test_equal_values_make_one_bar(values: list[float]) -> None:
    assert len(bars(parts(values, figure=Summary(value=values[0], low=math.nan, high=math.nan)))) == 1


def test_what_is_not_finite_is_counted_below() -> None:
    text = histogram([1.0, 2.0, None, math.inf], figure=FIGURE, decimals=1, label="x")
    assert "2 without a finite value" in text
    assert "No value" in histogram([None, math.nan], figure=FIGURE, decimals=1, label="x")
