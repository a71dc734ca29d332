"""`toile data curate`: measure what makes pairs hard, and keep the best of them."""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from toile.data.curation_rules import Thresholds
from toile.tasks.drawing import check_count

if TYPE_CHECKING:
    from rich.table import Table

    from toile.data.curation_file import Curation

DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, kw_only=True)
class Curate:
    """Measure each pair of a dataset, and keep the best for IGR's fine stage.

    Writes one line a pair: five scores in [0, 1], the reasons that speak against the pair, and whether it is
    kept. Goes on where it was stopped; other thresholds or another share need no new measuring.
    Look at the result with `toile data review`.
    """

    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SOURCE")]
    """The dataset: a folder, a list, shards, or dolls:FIRST:COUNT."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = Path("curation.jsonl")
    """The .jsonl file to write."""
    split: str = "train"
    """Its split, train or test."""
    share: float = 0.2
    """The share of all pairs to keep at most; the paper's is a fifth. 1 keeps all but those with reasons."""
    workers: int = 1
    """Processes that measure."""
    threshold: Annotated[Thresholds, tyro.conf.arg(name="threshold")] = DEFAULT_THRESHOLDS
    """From which score on each reason counts."""

    def run(self) -> int:
        """Curate, print a summary on stderr and the file's path on stdout."""
        from rich.console import Console

        curation = curate_dataset(
            self.source,
            self.output,
            split=self.split,
            share=self.share,
            thresholds=self.threshold,
            workers=self.workers,
        )
        Console(file=sys.stderr).print(summary(curation))
        print(self.output)
        return 0


def curate_dataset(
    source: str,
    output: Path,
    *,
    split: str = "train",
    share: float = 0.2,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
    workers: int = 1,
) -> "Curation":
    """Measure the pairs of a dataset and write which to keep; the arguments are those of `Curate`.

    Raises:
        ToileError: when the dataset, a setting or the output is wrong.
    """
    from toile.data.curation_file import CurationSettings
    from toile.data.curation_run import curate

    check_count("workers", workers)
    settings = CurationSettings(source=source, split=split, share=share, thresholds=thresholds)
    return curate(settings, output, workers=workers)


def summary(curation: "Curation") -> "Table":
    """How many pairs each reason speaks against, how many could not be measured, and how many are kept."""
    from rich.table import Table

    from toile.data.curation_rules import UNREADABLE
    from toile.data.hardness_measures import REASONS

    rows = curation.rows
    found = Counter(reason for row in rows for reason in row.reasons)
    unknown = Counter(reason for row in rows for reason in row.unknown)
    kept = sum(row.keep for row in rows)
    table = Table(title=f"{curation.settings.source}: {len(rows)} pairs, {kept} kept", title_justify="left")
    table.add_column("reason")
    for column in ("pairs", "share", "unknown"):
        table.add_column(column, justify="right")
    for reason in REASONS:
        share = f"{found[reason] / len(rows):.1%}" if rows else ""
        table.add_row(reason, str(found[reason]), share, str(unknown[reason]))
    if found[UNREADABLE]:
        table.add_row(UNREADABLE, str(found[UNREADABLE]), f"{found[UNREADABLE] / len(rows):.1%}", "")
    table.add_row("hard case, kept", str(sum(row.hard_case and row.keep for row in rows)), "", "")
    return table
