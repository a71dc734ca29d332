import re

import pytest

from toile.evaluation.reports.latex import escape, to_latex


def test_the_table_is_balanced_and_marked(three) -> None:
    text = to_latex(three)
    assert text.count("\\begin{") == text.count("\\end{") == 2
    without_escapes = re.sub(r"\\[{}]", "", text)
    assert without_escapes.count("{") == without_escapes.count("}")
    rows = [line for line in text.splitlines() if line.rstrip().endswith("\\\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}
    assert "sharp \\& quick & \\textbf{" in text and text.count("\\textbf{") == 3
    assert "blurred\\_<b> & \\underline{" in text and text.count("\\underline{") == 3
    assert "similarity $\\uparrow$" in text and "L1 $\\times$ 255 $\\downarrow$" in text


def test_intervals_are_in_small_print_or_left_out(three) -> None:
    assert "{\\scriptsize [5.40, 6.60]}" in to_latex(three)
    assert "scriptsize" not in to_latex(three, intervals=False)


@pytest.mark.parametrize("sign", list("&%$#_{}"))
def test_special_signs_are_escaped(sign: str) -> None:
    assert escape(f"a{sign}b") == f"a\\{sign}b"


def test_the_backslash_is_escaped_once() -> None:
    assert escape("a\\b~") == "a\\textbackslash{}b\\textasciitilde{}"
