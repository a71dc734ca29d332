"""Errors of many items, gathered by what is wrong, whatever the items and their files are called."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LISTED = 1_000
"""So many failures are kept to be named."""
OF_EACH = 3
"""So many of every kind are kept in any case."""
MOST_KINDS = 100
"""Kinds that are told apart; what comes after them counts as one more."""
OTHERS = "other errors"
_PLACE = re.compile(r"^\S.*?, (?:line \d+|sample '.*?'): ")
_BRACKETS = re.compile(r"\s*\[.*\]\s*$|\s*\([^()]*\)")
_NOT_ALIKE = re.compile(r"'[^']*'|\"[^\"]*\"|\S*[/\\]\S+|[-+]?\d[\d.,]*(?:×\d+)?")


@dataclass(kw_only=True)
class Kind:
    """Failures for one reason."""

    text: str
    """The reason, in the words that their errors share."""
    count: int = 0
    """How many there are."""
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    """Those that are named: lines of the manifest."""


class ErrorKinds:
    """Counts failures by kind; what it keeps does not grow with their number."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        self.kept = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take the manifest's line of a failure."""
        text = kind_of(str(row.get("error") or "no reason was given"), str(row.get("name", "")))
        if text not in self.kinds and len(self.kinds) >= MOST_KINDS:
            text = OTHERS
        kind = self.kinds.setdefault(text, Kind(text=text))
        kind.count += 1
        if self.kept < LISTED or len(kind.rows) < OF_EACH:
            kind.rows.append(row)
            self.kept += 1

    def __len__(self) -> int:
        """How many failures."""
        return sum(kind.count for kind in self.kinds.values())

    def __iter__(self) -> Iterator[Kind]:
        """The kinds, the most frequent one first."""
        return iter(sorted(self.kinds.values(), key=lambda kind: (-kind.count, kind.text)))


def kind_of(error: str, name: str) -> str:
    """What an error shares with others of its kind: all but names, files, numbers and what is in brackets.

    Args:
        error: the message, in one line.
        name: of the item, with which a message may begin.
    """
    text, found = _PLACE.sub("", error.removeprefix(f"{name}: ")), 1
    while found:  # brackets within brackets
        text, found = _BRACKETS.subn("", text)
    return " ".join(_NOT_ALIKE.sub("…", text).split()) or OTHERS
