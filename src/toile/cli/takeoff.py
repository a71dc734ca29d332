"""`toile takeoff`: photos of people in, flat garments out, by the model that also tries on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toile.cli.jobs import check_not_inputs, load_batches, plan_jobs
from toile.cli.options import (
    TWGTM_OPTIONS,
    CategoryOption,
    ModelOptions,
    OwnModelOptions,
)
from toile.cli.outcomes import Outcome, Progress, report
from toile.cli.positional import several
from toile.files import check_writable
from toile.tasks.drawing import check_count
from toile.tasks.takeoff import BoxChoice, check_box, parse_box, take_off_pictures


@dataclass(frozen=True, kw_only=True)
class TakeOff:
    """Take the garment off a person: restore it flat, on white, from a photo.

    No mask is needed, and none is looked for: the model sees the whole photo, and what is left open is where
    the flat garment will lie, which no mask of the photo tells (see --box).

    The same photo with the same seed gives the same picture, alone or among others.
    Every PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when every photo was done, 1 when some failed, 2 when none could be.
    """

    photos: Annotated[tuple[Path, ...], tyro.conf.Positional, several("PERSON")]
    """One photo or several: any format, size and orientation."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A folder, or for one photo a .png file. Left out: PERSON-garment.png in the working directory."""
    category: CategoryOption = "upper"
    """What to take off."""
    box: Annotated[str | None, tyro.conf.arg(metavar="X0,Y0,X1,Y1|predicted")] = None
    """Where in the result the garment shall lie, in its pixels, or where the model predicts that it will.
    Left out: anywhere."""
    silhouette: bool = False
    """Write the predicted silhouette as well, as OUT-silhouette.png."""
    batch: int = 1
    """Photos that are done at once."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model takes off, how, and on what."""

    def run(self) -> int:
        """Take off, report each failure on one line, and return the exit code."""
        outcomes = undress_photos(
            self.photos,
            output=self.output,
            category=self.category,
            box=parse_box(self.box),
            silhouette=self.silhouette,
            batch=self.batch,
            options=self.options,
        )
        return report(outcomes)


def undress_photos(
    photos: Sequence[Path],
    *,
    output: Path | None = None,
    category: str = "upper",
    box: BoxChoice = None,
    silhouette: bool = False,
    batch: int = 1,
    options: ModelOptions = TWGTM_OPTIONS,
) -> list[Outcome]:
    """Restore the garments of photos and write them as PNGs; the arguments are those of `TakeOff`.

    A photo that cannot be read is reported on stderr, and the others are done.

    Returns:
        What became of each photo, in their order.

    Raises:
        ToileError: when nothing can be done: the model, a setting or the output is wrong.
    """
    jobs = plan_jobs(photos, output=output)
    if silhouette:
        check_not_inputs([silhouette_path(job.output) for job in jobs], photos)
    options.check(category)
    check_count("batch", batch)
    pipeline = options.load("twgtm")
    size = options.canvas(pipeline)
    check_box(box, size)
    for folder in {job.output.parent for job in jobs}:
        check_writable(folder)
    with Progress(len(jobs) * pipeline.check_steps(options.steps), "taking off") as progress:
        for loaded in load_batches(jobs, size, batch, progress.fail):
            taken = take_off_pictures(
                pipeline,
                [item.photo for item in loaded],
                [category] * len(loaded),
                boxes=[box] * len(loaded),
                silhouettes=silhouette,
                seeds=[options.seed] * len(loaded),
                drawing=options.drawing,
                on_step=progress.step,
            )
            for item, pictures in zip(loaded, taken, strict=True):
                paths = [item.job.output, silhouette_path(item.job.output)][: 1 + silhouette]
                own = {"category": category, "photo": item.job.photo.name, "box": box}
                saved = {path: picture for path, picture in zip(paths, pictures, strict=False) if picture}
                progress.save(item.job, saved, options.metadata(pipeline) | own)
    return progress.outcomes(jobs)


def silhouette_path(output: Path) -> Path:
    """The PNG of the silhouette that belongs to a garment's."""
    return output.with_name(f"{output.stem}-silhouette.png")
