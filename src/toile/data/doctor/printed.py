"""The report as text for a terminal."""

from collections.abc import Iterator

from rich.markup import escape

from toile.data.doctor.findings import SEVERITIES, Severity
from toile.data.doctor.verdict import Group, Report

STYLES: dict[Severity, str] = {"fault": "bold red", "warning": "bold yellow", "note": "bold cyan"}
"""How each severity is set."""
TWINS = frozenset({"leak", "near-leak", "duplicate", "near-duplicate", "name-collision", "mixed-up"})
"""The kinds that are about two files alike, which are both named."""


def to_lines(report: Report, examples: int = 3) -> Iterator[str]:
    """The report line by line in rich's markup: what is there, what is wrong with which files, what to do.

    Args:
        report: what was found.
        examples: how many files are named of each kind.
    """
    layout = report.layout if report.recognised else f"unknown layout, nearest is {report.layout}"
    yield f"[bold]{escape(str(report.path))}[/]: {layout}, {report.files:,} files, {report.seconds:.1f} s"
    yield from _counts(report)
    for severity in SEVERITIES:
        for group in report.of(severity):
            kind = group.kind
            yield ""
            head = f"[{STYLES[severity]}]{severity} {kind.code}[/]"
            yield f"{head} {escape(kind.title)}: [bold]{group.count:,}[/]"
            yield from (f"    {line}" for line in _examples(group, examples))
            yield f"    [green]→[/] {escape(kind.advice)}"
    yield ""
    style = STYLES.get(report.worst or "note") if report.exit_code else "bold green"
    yield f"[{style}]{escape(report.verdict())}[/]"


def _counts(report: Report) -> Iterator[str]:
    """The folders, in columns."""
    width = max((len(name) for name in report.counts), default=0)
    cells = [
        f"{escape(name)}{' ' * (width - len(name))} {count:>7,}" for name, count in report.counts.items()
    ]
    across = max(1, 100 // (width + 12))
    for start in range(0, len(cells), across):
        yield "  [dim]" + "    ".join(cells[start : start + across]) + "[/]"


def _examples(group: Group, examples: int) -> Iterator[str]:
    for finding in group.findings[:examples]:
        twin = f" [dim]=[/] {escape(', '.join(finding.beside))}" if group.kind.code in TWINS else ""
        detail = f"  [dim]{escape(finding.detail)}[/]" if finding.detail else ""
        yield escape(finding.file) + twin + detail
    if group.count > examples:
        yield f"[dim]... and {group.count - examples:,} more[/]"
