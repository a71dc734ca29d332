"""Tables of results as Markdown, as README files show them."""

from collections.abc import Sequence

from toile.evaluation.protocols.result import EvaluationResult
from toile.evaluation.reports.table import Cell, Row, Table, make_tables

SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~"})
"""What means something in Markdown."""


def to_markdown(results: Sequence[EvaluationResult], *, intervals: bool = True) -> str:
    """One table for each protocol among the results: systems as rows, metrics as columns.

    Args:
        results: one for each system.
        intervals: whether intervals stand behind the figures.
    """
    return "\n".join(table_to_markdown(table, intervals=intervals) for table in make_tables(results))


def table_to_markdown(table: Table, *, intervals: bool = True) -> str:
    """One table with its title and caption. GitHub underlines `<ins>`, and drops `<u>`."""
    body = [[_name(row), *(_cell(cell, intervals) for cell in row.cells)] for row in table.rows]
    lines = markdown_table(["method", *map(escape, table.headings)], body)
    return f"**{escape(table.title)}**\n\n{lines}\n\n{escape(table.caption)}\n"


def markdown_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Cells, which must be Markdown already, as a table; all columns but the first are set to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))


def escape(text: str) -> str:
    """Any text so that Markdown shows it as it is, on one line."""
    return " ".join(text.split()).translate(SPECIAL)


def _name(row: Row) -> str:
    return escape(row.name) + ("" if row.conforming else " †")


def _cell(cell: Cell, intervals: bool) -> str:
    marks = {"best": ("**", "**"), "second": ("<ins>", "</ins>"), "": ("", "")}
    before, after = marks[cell.rank]
    behind = f" {escape(cell.interval)}" if intervals and cell.interval else ""
    return f"{before}{cell.text}{after}{behind}"
