"""`toile data check`: says what is wrong with a dataset, file by file, and what to do about it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from toile.files import check_writable

if TYPE_CHECKING:
    from toile.data.doctor.verdict import Report


@dataclass(frozen=True, kw_only=True)
class Check:
    """Examine a dataset: folders in the layout of VITON-HD, DressCode or StreetTryOn, a plain folder with
    persons/ garments/ masks/, WebDataset shards, or a list of pairs (.csv, .jsonl).

    Names every file that is missing, damaged, of a wrong size or turned; masks that are empty, full, inverted
    or give the garment's shape away; parse maps, poses and lists with mistakes; duplicates, and test pictures
    that are in the training set. Nothing is changed.
    Exit code: 0 when nothing is wrong, 1 with warnings only, 2 with faults or when it could not be examined.
    """  # noqa: D205  # the first sentence lists the layouts

    path: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PATH")]
    """The dataset's folder, a shard, or a list."""
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write the report for programs as well; "-" prints it in place of the text."""
    page: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Write a page with small pictures of what was found: FOLDER/index.html."""
    write_exclusions: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Write the identifiers of the training pairs that are tested on, one a line."""
    examples: int = 3
    """How many files the text names of each kind."""
    workers: int | None = None
    """Processes that examine; by default one for each core."""
    progress: bool = True
    """Show a bar on stderr."""

    def run(self) -> int:
        """Examine, print the report, write the files asked for; returns the exit code."""
        from toile.data.doctor.verdict import write_exclusions, write_json

        for path in (self.json, self.write_exclusions):
            if path is not None and str(path) != "-":
                check_writable(path.parent)
        report = examine(self.path, workers=self.workers, progress=self.progress and sys.stderr.isatty())
        if str(self.json) == "-":
            self._print_json(report)
        else:
            self._print(report)
            if self.json is not None:
                write_json(report, self.json)
        if self.write_exclusions is not None:
            write_exclusions(report, self.write_exclusions)
        if self.page is not None:
            from toile.data.doctor.page import write_page

            print(write_page(report, self.page), file=sys.stderr)
        return report.exit_code

    def _print(self, report: "Report") -> None:
        from rich.console import Console

        from toile.data.doctor.printed import to_lines

        console = Console(highlight=False, soft_wrap=True)
        for line in to_lines(report, self.examples):
            console.print(line)

    def _print_json(self, report: "Report") -> None:
        import json

        print(json.dumps(report.as_json(), indent=1))


def examine(path: Path, *, workers: int | None = None, progress: bool = False) -> "Report":
    """Examine a dataset, as `toile data check` does.

    Args:
        path: the dataset's folder, a shard, or a list of pairs.
        workers: processes that examine; None takes one for each core that this process may use.
        progress: whether to show a bar on stderr.

    Raises:
        ToileError: when it cannot be examined.
    """
    from toile.data.doctor.checkup import check_dataset

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return check_dataset(path, workers=cores if workers is None else workers, progress=progress)
