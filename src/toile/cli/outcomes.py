"""What becomes of many photos: a progress bar, PNGs, failures on one line each, and an exit code."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PIL import Image
from tqdm import tqdm

from toile.cli.jobs import Job
from toile.errors import ToileError
from toile.images import save_png
from toile.tasks.step import Step


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one photo."""

    job: Job
    """The photo, and where its garment should be."""
    error: str | None = None
    """Why nothing was written; None means that it was."""


class Progress:
    """The progress bar of a whole run, and what failed in it.

    Args:
        steps: of all photos together.
        doing: what is being done, as `restoring`.
    """

    def __init__(self, steps: int, doing: str) -> None:
        self.failures: dict[Job, str] = {}
        self.bar = tqdm(total=steps, unit="step", desc=doing, file=sys.stderr, leave=False)

    def __enter__(self) -> "Progress":
        """Show the bar."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wipe the bar away, so that what is said next has a line of its own."""
        self.bar.close()

    def step(self, step: Step) -> None:
        """Some photos have come one step further."""
        self.bar.update(step.items)

    def advance(self) -> None:
        """One photo is done, where there are no steps to tell of."""
        self.bar.update()

    def fail(self, job: Job, error: ToileError) -> None:
        """Report a photo that cannot be done, on one line."""
        self.failures[job] = str(error)
        self.bar.write(f"toile: {' '.join(str(error).split())}", file=sys.stderr)

    def save(self, job: Job, pictures: Mapping[Path, Image.Image], metadata: Mapping[str, object]) -> None:
        """Write the pictures that came of one photo, or report that they cannot be written."""
        try:
            for path, picture in pictures.items():
                save_png(picture, path, metadata)
        except ToileError as error:
            self.fail(job, error)

    def outcomes(self, jobs: Sequence[Job]) -> list[Outcome]:
        """What became of each photo."""
        return [Outcome(job=job, error=self.failures.get(job)) for job in jobs]


def report(outcomes: Sequence[Outcome]) -> int:
    """Print the paths of what was written, and return the exit code.

    Returns:
        0 when every photo was done, 1 when some failed, 2 when none could be.
    """
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    for outcome in outcomes:
        if outcome.error is None:
            print(outcome.job.output)
    return 0 if not failed else 2 if len(failed) == len(outcomes) else 1
