import re

from toile.evaluation.reports.compare import FieldDifference, compare
from toile.evaluation.reports.differences import (
    differences_to_latex,
    differences_to_markdown,
    fields_to_markdown,
)


def test_a_row_for_each_other_system(three) -> None:
    sharp, blurred, oracle = three
    comparisons = [compare(sharp, other) for other in (blurred, oracle)]
    lines = differences_to_markdown(comparisons).splitlines()
    assert lines[0] == "| sharp & quick … | similarity ↑ | L1 × 255 ↓ | FD-dolls ↓ |"
    assert lines[2].startswith("| − blurred\\_\\<b\\> | **+0.0") and "p \\< 0.001" in lines[2]
    assert lines[3].startswith("| − exact-oracle | <ins>−0.0")
    assert lines[2].endswith("| −9.00 |")


def test_latex_says_the_same(three) -> None:
    sharp, blurred, _ = three
    text = differences_to_latex([compare(sharp, blurred)])
    assert "$-$ blurred\\_<b> & \\textbf{+0.0" in text and "p $<$ 0.001" in text
    rows = [line for line in text.splitlines() if line.rstrip().endswith("\\\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}


def test_fields_have_a_row_each() -> None:
    text = fields_to_markdown([FieldDifference(field="pictures.size", first="1", second="2")], "a", "b")
    assert text.splitlines()[2] == "| pictures.size | 1 | 2 |"
