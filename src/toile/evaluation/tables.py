"""A report as Markdown, on a terminal, and as JSON."""

import json
from pathlib import Path

from rich.table import Table

from toile.errors import ToileError
from toile.evaluation.report import Report
from toile.files import write_text

ARROWS = {True: "↑", False: "↓"}


def headings(report: Report) -> list[str]:
    """The head of a table: the method, then each metric with an arrow towards the better."""
    return ["method", *(f"{metric} {ARROWS[higher]}" for metric, higher in report.higher_is_better.items())]


def rows(report: Report, mode: str) -> list[list[str]]:
    """One row a method: its name, then each metric's mean with its interval."""
    return [
        [method, *(str(report.interval(mode, method, m)) for m in report.higher_is_better)]
        for method in report.values[mode]
    ]


def difference_rows(report: Report, mode: str, first: str) -> list[list[str]]:
    """One row for each other method: `first` minus it, in bold where `first` is better beyond chance."""
    others = [method for method in report.values[mode] if method != first]
    return [
        [f"− {other}", *(_gain(report, mode, first, other, m) for m in report.higher_is_better)]
        for other in others
    ]


def _gain(report: Report, mode: str, first: str, second: str, metric: str) -> str:
    text = str(report.difference(mode, first, second, metric))
    return f"**{text}**" if report.beats(mode, first, second, metric) else text


def to_markdown(report: Report, first: str | None = None) -> str:
    """Tables for each mode; with `first`, another one of what it gains on each other method."""
    parts = []
    for mode, methods in report.values.items():
        count = len(report.identifiers[mode])
        parts += [f"### {mode}, {count} pairs", "", _markdown_table(headings(report), rows(report, mode)), ""]
        if first is not None and len(methods) > 1:
            head = [f"{first} …", *headings(report)[1:]]
            parts += [_markdown_table(head, difference_rows(report, mode, first)), ""]
    return "\n".join(parts).rstrip() + "\n"


def _markdown_table(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def to_rich(report: Report, mode: str) -> Table:
    """One mode's table for a terminal."""
    table = Table(title=f"{mode}, {len(report.identifiers[mode])} pairs")
    for heading in headings(report):
        table.add_column(heading)
    for row in rows(report, mode):
        table.add_row(*row)
    return table


def write_json(report: Report, path: Path) -> None:
    """Write every value, with the means and intervals that follow from them."""
    summary = {
        mode: {
            method: {
                metric: vars(report.interval(mode, method, metric)) for metric in report.higher_is_better
            }
            for method in methods
        }
        for mode, methods in report.values.items()
    }
    content = {
        "size": list(report.size),
        "higher_is_better": dict(report.higher_is_better),
        "identifiers": dict(report.identifiers),
        "summary": summary,
        "values": dict(report.values),
    }
    write_text(json.dumps(content, indent=1), path)


def read_json(path: Path) -> Report:
    """Read what `write_json` wrote.

    Raises:
        ToileError: when the file is missing or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        height, width = content["size"]
        return Report(
            size=(height, width),
            higher_is_better=content["higher_is_better"],
            identifiers=content["identifiers"],
            values=content["values"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToileError(
            f"{path} is no report ({error}); make one with a script of benchmarks, such as igr_quality.py"
        ) from error


def replace_between(text: str, name: str, content: str) -> str:
    """Put `content` between the markers `<!-- name -->` and `<!-- /name -->` of a document.

    Raises:
        ToileError: when a marker is missing.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, opening, rest = text.partition(start)
    _, closing, after = rest.partition(end)
    if not opening or not closing:
        raise ToileError(f"the document has no place for the table: it needs {start} and {end}")
    return f"{before}{start}\n\n{content.strip()}\n\n{end}{after}"
