"""What a person decided about the pairs of a curation: a log that only grows, and what follows from it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from toile.data.curation_file import CuratedRow, Curation, Key, decisions_path, read_curation
from toile.data.json_lines import GrowingLines, read_lines
from toile.errors import ToileError

Decision = Literal["keep", "drop", "skip"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""`skip` leaves the pair as it was measured."""

Step = tuple[Key, Decision | None]
"""A decision that was made: about which pair, and what had been decided before."""


class Decisions:
    """Decisions by pair, kept in a file that each one is appended to at once.

    Raises:
        ToileError: when the file cannot be read or written, or a line is no decision.
    """

    def __init__(self, path: Path) -> None:
        """Take up what was decided before."""
        self.path = path
        self.made, self.steps = replay(path)
        self.log = GrowingLines(path)

    def decide(self, key: Key, decision: Decision) -> None:
        """Decide about a pair; it is on the disk when this returns."""
        category, identifier = key
        when = datetime.now(UTC).isoformat(timespec="seconds")
        self.log.append({"category": category, "identifier": identifier, "decision": decision, "time": when})
        self.steps.append((key, self.made.get(key)))
        self.made[key] = decision

    def undo(self) -> Key | None:
        """Take the last decision back that has not been; None when there is none."""
        if not self.steps:
            return None
        self.log.append({"undo": True})
        return _undo(self.made, self.steps)


def replay(path: Path) -> tuple[dict[Key, Decision], list[Step]]:
    """What a log of decisions comes to, and its steps that can be taken back; nothing without a file.

    Raises:
        ToileError: when a line is no decision.
    """
    made: dict[Key, Decision] = {}
    steps: list[Step] = []
    for number, line in enumerate(read_lines(path) if path.exists() else [], 1):
        if line.get("undo") is True:
            _undo(made, steps)
            continue
        key, decision = _parse(path, number, line)
        steps.append((key, made.get(key)))
        made[key] = decision
    return made, steps


def _undo(made: dict[Key, Decision], steps: list[Step]) -> Key | None:
    if not steps:
        return None
    key, before = steps.pop()
    if before is None:
        del made[key]
    else:
        made[key] = before
    return key


def _parse(path: Path, number: int, line: Mapping[str, Any]) -> tuple[Key, Decision]:
    decision = next((known for known in DECISIONS if known == line.get("decision")), None)
    category, identifier = line.get("category"), line.get("identifier")
    if decision is None or not isinstance(category, str) or not isinstance(identifier, str):
        raise ToileError(
            f"{path}, line {number}, is no decision; each has a category, an identifier and a decision, "
            f"one of {', '.join(DECISIONS)}"
        )
    return (category, identifier), decision


def is_kept(row: CuratedRow, made: Mapping[Key, Decision]) -> bool:
    """Whether a pair belongs to the curated ones: as a person decided, and else as it was measured."""
    decision = made.get(row.key)
    return row.keep if decision in (None, "skip") else decision == "keep"


def kept_rows(path: Path) -> dict[Key, CuratedRow]:
    """The pairs that a curation keeps, the decisions beside it (`decisions_path`) applied.

    Raises:
        ToileError: when there is no curation, or two of its pairs have one name.
    """
    curation: Curation = read_curation(path)
    check_names(curation.rows)
    made, _ = replay(decisions_path(path))
    return {row.key: row for row in curation.rows if is_kept(row, made)}


def check_names(rows: Sequence[CuratedRow]) -> None:
    """Refuse pairs that cannot be told apart.

    Raises:
        ToileError: naming the first.
    """
    seen: set[Key] = set()
    for row in rows:
        if row.key in seen:
            raise ToileError(
                f"two pairs are called {row.identifier!r} ({row.category}); "
                "curate each source of a mixture alone"
            )
        seen.add(row.key)
