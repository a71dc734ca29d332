"""How well curation finds what makes a pair hard: precision and recall on dolls, whose labels are exact.

    python benchmarks/curation.py

Thresholds were set on the dolls 100000 to 100399; these are others. Occlusion, truncation, side view and
extreme proportion are compared with the labels that dolls have. A mismatch has no label: half of the pairs
that it is measured on get the flat garment of the next doll with a garment of the same kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Bool
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from toile.data.curation_rules import Thresholds, judge
from toile.data.doll_pairs import DollPairs
from toile.data.hardness_measures import Measures, measure
from toile.data.record import GarmentPair, Pictures
from toile.evaluation.tables import replace_between

LABELLED = ("occlusion", "truncation", "side_view", "extreme_proportion")
TABLE = "curation"
DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    first: int = 10_000_000
    """Seed of the first doll."""
    count: int = 200
    """Dolls of each mode."""
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    """From which score on each reason counts."""
    docs: Path | None = None
    """A document whose table between the marks `curation` is replaced; None prints only."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    name: str
    """What was to be found."""
    found: Bool[np.ndarray, " N"]
    """Where the measures say so."""
    true: Bool[np.ndarray, " N"]
    """Where it is so."""

    def cells(self) -> list[str]:
        """Name, how many there are, how many were found, precision, recall."""
        right = int((self.found & self.true).sum())
        found, true = int(self.found.sum()), int(self.true.sum())
        shares = [f"{right / count:.2f}" if count else "–" for count in (found, true)]
        return [self.name, str(true), str(found), *shares]


@dataclass(frozen=True, kw_only=True)
class OtherGarment:
    """The pictures of one pair with the flat garment of another."""

    pictures: Pictures
    """Gives the photo and all about it."""
    other: Pictures
    """Gives the flat garment."""

    def __getattr__(self, name: str) -> Callable[[], object]:
        """A picture of one or of the other."""
        source = self.other if name in ("garment", "silhouette") else self.pictures
        method: Callable[[], object] = getattr(source, name)
        return method


def swapped(pairs: Sequence[GarmentPair]) -> list[GarmentPair]:
    """Every second pair with the garment of the next one of its kind."""
    mixed = []
    for index, pair in enumerate(pairs):
        others = (pairs[(index + step) % len(pairs)] for step in range(1, len(pairs)))
        other = next(other for other in others if other.category == pair.category)
        pictures = OtherGarment(pictures=pair.pictures, other=other.pictures)
        mixed.append(replace(pair, pictures=pictures) if index % 2 else pair)
    return mixed


def rows(pairs: Sequence[GarmentPair], settings: Settings) -> list[Row]:
    """Measure every pair, and compare."""
    measures: list[Measures] = [measure(pair) for pair in tqdm(pairs, unit="pair", leave=False)]
    verdicts = [judge(each, settings.thresholds) for each in measures]
    table = [
        Row(
            name=name,
            found=np.array([name in verdict.reasons for verdict in verdicts]),
            true=np.array([name in (pair.reasons or ()) for pair in pairs]),
        )
        for name in LABELLED
    ]
    table.append(
        Row(
            name="any that drops",
            found=np.array([not verdict.acceptable for verdict in verdicts]),
            true=np.array([bool(pair.hard) for pair in pairs]),
        )
    )
    scores = [
        measure(pair).scores.get("mismatch", 0.0) for pair in tqdm(swapped(pairs), unit="pair", leave=False)
    ]
    other = np.arange(len(pairs)) % 2 == 1
    found = np.array(scores) > settings.thresholds.mismatch
    return [*table, Row(name="mismatch (every second swapped)", found=found, true=other)]


def main(settings: Settings) -> None:
    columns = ("reason", "labelled", "found", "precision", "recall")
    modes = {
        mode: list(DollPairs(settings.first, settings.count, mode=mode)[:]) for mode in ("studio", "street")
    }
    pairs = [pair for mode in modes.values() for pair in mode]
    cells = [row.cells() for row in rows(pairs, settings)]
    table = Table(*columns, title=f"{len(pairs)} dolls, seeds from {settings.first} on, both modes")
    for line in cells:
        table.add_row(*line)
    Console(width=100).print(table)
    if settings.docs is not None:
        marks = ["|".join(["", *line, ""]) for line in (columns, ("---",) * len(columns), *cells)]
        text = settings.docs.read_text(encoding="utf-8")
        settings.docs.write_text(replace_between(text, TABLE, "\n".join(marks)), encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Settings))
