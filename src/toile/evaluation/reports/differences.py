"""Comparisons as tables: what the first system gains on each other, and what differs between protocols."""

from collections.abc import Sequence

from toile.evaluation.reports import latex, markdown
from toile.evaluation.reports.compare import Comparison, Difference, FieldDifference, difference_text
from toile.evaluation.reports.table import ARROWS, decimals_for, figure_of

EXPLANATION = (
    "First minus other, on the same pictures. In brackets: paired bootstrap intervals; p: sign-flip test, "
    "not corrected for the number of metrics. Bold where the first is better, underlined where the other is, "
    "beyond what the choice of pictures explains. Figures of whole sets have no paired interval."
)
"""How to read a table of differences."""


def decimals_of(comparison: Comparison, metric: str) -> int:
    """How many decimals a metric's differences are printed with: those of the figures."""
    sides = (comparison.first, comparison.second)
    return decimals_for([figure_of(side, metric).value for side in sides], comparison.first.metrics[metric])


def differences_to_markdown(comparisons: Sequence[Comparison]) -> str:
    """One row for each comparison; all have the same first result."""
    head = [
        f"{markdown.escape(comparisons[0].first.system)} …",
        *map(markdown.escape, _headings(comparisons)),
    ]
    body = [
        [f"− {markdown.escape(comparison.second.system)}"]
        + [_markdown_cell(comparison, name) for name in _metrics(comparisons)]
        for comparison in comparisons
    ]
    return f"{markdown.markdown_table(head, body)}\n\n{EXPLANATION}\n"


def differences_to_latex(comparisons: Sequence[Comparison]) -> str:
    """One row for each comparison; all have the same first result."""
    head = [
        f"{latex.escape(comparisons[0].first.system)} \\ldots{{}}",
        *map(latex.escape, _headings(comparisons)),
    ]
    body = [
        [f"$-$ {latex.escape(comparison.second.system)}"]
        + [_latex_cell(comparison, name) for name in _metrics(comparisons)]
        for comparison in comparisons
    ]
    return latex.latex_table(head, body, latex.escape(EXPLANATION))


def fields_to_markdown(differing: Sequence[FieldDifference], first: str, second: str) -> str:
    """What differs between two evaluations, field by field."""
    body = [
        [markdown.escape(one.field), markdown.escape(one.first), markdown.escape(one.second)]
        for one in differing
    ]
    return (
        markdown.markdown_table(["what differs", markdown.escape(first), markdown.escape(second)], body)
        + "\n"
    )


def _metrics(comparisons: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(name for comparison in comparisons for name in comparison.differences))


def _headings(comparisons: Sequence[Comparison]) -> list[str]:
    known = comparisons[0].first.metrics
    return [f"{known[name].name} {ARROWS[known[name].higher_is_better]}" for name in _metrics(comparisons)]


def _markdown_cell(comparison: Comparison, metric: str) -> str:
    if metric not in comparison.differences:
        return "–"
    difference = comparison.differences[metric]
    value, interval, p = difference_text(difference, decimals_of(comparison, metric))
    marks = {True: ("**", "**"), False: ("<ins>", "</ins>"), None: ("", "")}
    before, after = marks[difference.better]
    return " ".join(filter(None, (f"{before}{value}{after}", markdown.escape(interval), markdown.escape(p))))


def _latex_cell(comparison: Comparison, metric: str) -> str:
    if metric not in comparison.differences:
        return "--"
    difference: Difference = comparison.differences[metric]
    value, interval, p = difference_text(difference, decimals_of(comparison, metric))
    command = {True: r"\textbf{%s}", False: r"\underline{%s}", None: "%s"}[difference.better]
    behind = latex.escape(", ".join(filter(None, (interval, p)))).replace("<", "$<$")
    return command % latex.escape(value) + (rf" {{\scriptsize {behind}}}" if behind else "")
