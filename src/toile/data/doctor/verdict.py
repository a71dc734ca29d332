"""What all findings come to: a report that a person can act on, and the same for programs."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toile import __version__
from toile.data.doctor.findings import KINDS, SEVERITIES, Finding, Kind, Severity
from toile.files import write_text

KEPT = 10_000
"""Of one kind, so many findings are kept; more are counted only."""
EXIT_CODES: dict[Severity | None, int] = {None: 0, "note": 0, "warning": 1, "fault": 2}
"""The exit code for scripts by the worst that was found."""
LEAKS = frozenset({"leak", "near-leak", "split-overlap"})
"""The kinds whose pairs should stay out of training."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """All findings of one kind."""

    kind: Kind
    """What they are."""
    count: int
    """How many there are."""
    findings: list[Finding]
    """The first of them."""


@dataclass(kw_only=True)
class Tally:
    """Gathers findings by kind, each once, and keeps no more of them than `KEPT`."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many of each kind."""
    kept: defaultdict[str, dict[tuple[str, str], Finding]] = field(default_factory=lambda: defaultdict(dict))
    """The first findings of each kind, by file and detail."""
    excluded: set[str] = field(default_factory=set)
    """The identifiers of training pairs that are tested on."""

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings."""
        for finding in findings:
            kept = self.kept[finding.code]
            if (finding.file, finding.detail) in kept:
                continue
            self.counts[finding.code] += 1
            if len(kept) < KEPT:
                kept[finding.file, finding.detail] = finding
            if finding.code in LEAKS and finding.identifier:
                self.excluded.add(finding.identifier)

    def groups(self) -> list[Group]:
        """The findings by kind, the worst first."""
        return [
            Group(kind=kind, count=self.counts[code], findings=sorted(self.kept[code].values(), key=_order))
            for code, kind in KINDS.items()
            if self.counts[code]
        ]


def _order(finding: Finding) -> tuple[str, int]:
    """By file, and by line within a list."""
    name, colon, line = finding.file.rpartition(":")
    return (name, int(line)) if colon and line.isdecimal() else (finding.file, 0)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the doctor says of a dataset."""

    path: Path
    """The dataset."""
    layout: str
    """Its layout, or the nearest."""
    recognised: bool
    """Whether it has that layout."""
    pairs: int
    """How many pairs or single pictures were examined."""
    counts: dict[str, int]
    """How many files each folder, column or shard holds."""
    groups: list[Group]
    """The findings by kind, the worst first."""
    excluded: list[str]
    """Identifiers of the training pairs that are tested on."""
    seconds: float
    """How long it took."""

    @property
    def worst(self) -> Severity | None:
        """The worst severity that was found."""
        found = {group.kind.severity for group in self.groups}
        return next((severity for severity in SEVERITIES if severity in found), None)

    @property
    def exit_code(self) -> int:
        """0 when nothing is wrong, 1 with warnings only, 2 with faults."""
        return EXIT_CODES[self.worst]

    @property
    def files(self) -> int:
        """How many files it holds."""
        return sum(self.counts.values())

    def of(self, severity: Severity) -> list[Group]:
        """The groups of a severity."""
        return [group for group in self.groups if group.kind.severity == severity]

    def verdict(self) -> str:
        """One or two sentences: whether it can be used, and what to do first."""
        faults, warnings = self.of("fault"), self.of("warning")
        if faults:
            number = sum(group.count for group in faults)
            first = faults[0].kind if not self.recognised else max(faults, key=lambda group: group.count).kind
            return (
                f"Not fit for use yet: {number:,} {_plural('fault', number)} of {len(faults)} "
                f"{_plural('kind', len(faults))}. Begin with {first.code}: {first.advice}."
            )
        if warnings:
            number = sum(group.count for group in warnings)
            return f"It can be used. Look at {number:,} {_plural('warning', number)} before you rely on it."
        return "It can be used: nothing wrong was found."

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "toile": __version__,
            "path": str(self.path),
            "layout": self.layout,
            "recognised": self.recognised,
            "pairs": self.pairs,
            "counts": self.counts,
            "verdict": self.verdict(),
            "exit_code": self.exit_code,
            "seconds": round(self.seconds, 2),
            "excluded": self.excluded,
            "findings": [_as_json(group) for group in self.groups],
        }


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


def _as_json(group: Group) -> dict[str, Any]:
    return {
        "code": group.kind.code,
        "severity": group.kind.severity,
        "title": group.kind.title,
        "advice": group.kind.advice,
        "count": group.count,
        "files": [
            {
                "file": finding.file,
                "detail": finding.detail,
                "beside": list(finding.beside),
                "identifier": finding.identifier,
            }
            for finding in group.findings
        ],
    }


def write_json(report: Report, path: Path) -> None:
    """Write the report for programs.

    Raises:
        ToileError: when it cannot be written.
    """
    write_text(json.dumps(report.as_json(), indent=1) + "\n", path)


def write_exclusions(report: Report, path: Path) -> None:
    """Write the identifiers of the training pairs that are tested on, one a line.

    Raises:
        ToileError: when it cannot be written.
    """
    write_text("".join(f"{identifier}\n" for identifier in report.excluded), path)
