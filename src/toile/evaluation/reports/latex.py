r"""Tables of results as LaTeX, to be pasted into a paper; needs `\usepackage{booktabs}`."""

from collections.abc import Sequence

from toile.evaluation.protocols.result import EvaluationResult
from toile.evaluation.reports.table import Cell, Row, Table, make_tables

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "×": r"$\times$",
        "−": "$-$",
        "–": "--",
        "∞": r"$\infty$",
        "Δ": r"$\Delta$",
        "α": r"$\alpha$",
        "β": r"$\beta$",
        "σ": r"$\sigma$",
        "²": r"\textsuperscript{2}",
        "·": r"$\cdot$",
        "†": r"\textsuperscript{\textdagger}",
        "…": r"\ldots{}",
    }
)
"""What means something in LaTeX, or is not in the fonts of pdfLaTeX."""


def to_latex(results: Sequence[EvaluationResult], *, intervals: bool = True) -> str:
    """One `table` for each protocol among the results: systems as rows, metrics as columns.

    Args:
        results: one for each system.
        intervals: whether intervals stand behind the figures, in small print.
    """
    return "\n".join(table_to_latex(table, intervals=intervals) for table in make_tables(results))


def table_to_latex(table: Table, *, intervals: bool = True) -> str:
    """One table with its caption."""
    body = [[_name(row), *(_cell(cell, intervals) for cell in row.cells)] for row in table.rows]
    caption = f"{table.title}. {table.caption}"
    return latex_table(["Method", *map(escape, table.headings)], body, escape(caption))


def latex_table(head: Sequence[str], body: Sequence[Sequence[str]], caption: str) -> str:
    """Cells, which must be LaTeX already, as a `table` with `booktabs`' rules."""
    lines = [
        r"\begin{table}[t]",
        r"  \centering",
        rf"  \caption{{{caption}}}",
        rf"  \begin{{tabular}}{{l{'c' * (len(head) - 1)}}}",
        r"    \toprule",
        rf"    {' & '.join(head)} \\",
        r"    \midrule",
        *(rf"    {' & '.join(cells)} \\" for cells in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Any text so that LaTeX prints it as it is, on one line."""
    return " ".join(text.split()).translate(SPECIAL)


def _name(row: Row) -> str:
    return escape(row.name if row.conforming else f"{row.name}†")


def _cell(cell: Cell, intervals: bool) -> str:
    commands = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}
    behind = rf" {{\scriptsize {escape(cell.interval)}}}" if intervals and cell.interval else ""
    return commands[cell.rank] % escape(cell.text) + behind
