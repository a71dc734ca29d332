import math
from dataclasses import replace

import pytest
from tests.evaluation.reports.example_results import described

from toile.evaluation.protocols.result import Summary
from toile.evaluation.reports.table import decimals_for, is_oracle, make_tables, number, signed


def test_the_best_and_the_second_are_marked_and_oracles_are_not(three) -> None:
    (table,) = make_tables(three)
    ranks = {row.system: [cell.rank for cell in row.cells] for row in table.rows}
    assert ranks["sharp & quick"] == ["best"] * 3
    assert ranks["blurred_<b>"] == ["second"] * 3
    assert ranks["exact-oracle"] == [""] * 3
    assert three[2].summary["ssim"].value > three[0].summary["ssim"].value
    assert "not ranked" in table.caption


def test_the_order_of_systems_changes_no_rank(three) -> None:
    forwards, backwards = (make_tables(results)[0] for results in (three, three[::-1]))
    assert {row.system: row for row in forwards.rows} == {row.system: row for row in backwards.rows}


def test_what_is_printed_alike_is_ranked_alike(three) -> None:
    sharp, blurred, _ = three
    nearly = replace(sharp, sets={"fd_dolls": replace(sharp.sets["fd_dolls"], value=6.00001)})
    (table,) = make_tables([sharp, nearly, blurred])
    assert [row.cells[2].rank for row in table.rows] == ["best", "best", ""]
    (alike,) = make_tables([sharp, nearly])
    assert [row.cells[2].rank for row in alike.rows] == ["", ""]


def test_a_single_system_is_not_ranked(three) -> None:
    (table,) = make_tables(three[:1])
    assert {cell.rank for row in table.rows for cell in row.cells} == {""}
    assert "Bold" not in table.caption


def test_protocols_never_share_a_table(three) -> None:
    sharp, blurred, oracle = three
    other = replace(blurred, protocol_hash="0" * 64)
    assert [len(table.rows) for table in make_tables([sharp, other, oracle])] == [2, 1]


def test_an_undefined_figure_is_a_dash_without_interval_or_rank(three) -> None:
    sharp, blurred, _ = three
    unknown = Summary(value=math.nan, low=math.nan, high=math.nan)
    (table,) = make_tables([sharp, replace(blurred, sets={"fd_dolls": unknown})])
    cell = table.rows[1].cells[2]
    assert (cell.text, cell.interval, cell.rank) == ("–", "", "")


def test_a_system_told_the_truth_is_an_oracle_by_its_settings(three) -> None:
    assert is_oracle(replace(three[0], settings={"system": "twgtm-true-box"}))
    assert not is_oracle(three[0])
    (table,) = make_tables([replace(three[0], system="ours", settings={"system": "twgtm-true-box"})])
    assert table.rows[0].name == "ours (oracle)"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-0.0001, 3, "0.000"),
        (-1.5, 2, "−1.50"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
        (math.nan, 2, "–"),
        (0.9996, 3, "1.000"),
    ],
)
def test_numbers_are_printed_so(value: float, decimals: int, text: str) -> None:
    assert number(value, decimals) == text


def test_differences_carry_their_sign() -> None:
    assert [signed(value, 2) for value in (0.5, -0.5, 0.001, -0.001)] == ["+0.50", "−0.50", "0.00", "0.00"]


def test_decimals_follow_the_range_and_the_size() -> None:
    assert decimals_for([0.5], described("ssim")) == 3
    unbounded = described("fd_dolls")
    assert [decimals_for([v], unbounded) for v in (0.0123, 1.5, 25.0, 312.0, 5000.0)] == [5, 3, 2, 1, 1]
    assert decimals_for([math.inf, math.nan], unbounded) == 3
