"""`toile restore`: photos of people in, flat garments out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toile.cli.automatic_masks import (
    NONE,
    MaskOption,
    NotedMasks,
    ParserOption,
    given_mask,
    say,
)
from toile.cli.jobs import load_batches, plan_jobs
from toile.cli.options import (
    IGR_OPTIONS,
    CategoryOption,
    ModelOptions,
    OwnModelOptions,
)
from toile.cli.outcomes import Outcome, Progress, report
from toile.cli.positional import several
from toile.files import check_writable
from toile.tasks.drawing import check_count
from toile.tasks.masks import AUTO
from toile.tasks.restore import restore_pictures

NO_MASK = "without a mask the whole photo counts as the region; a mask of the garment (--mask) improves it"


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Restore the flat garment from a photo of a person who wears it.

    The same photo with the same seed gives the same picture, alone or among others.
    Every PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when every photo was restored, 1 when some failed, 2 when none could be.
    """

    photos: Annotated[tuple[Path, ...], tyro.conf.Positional, several("PHOTO")]
    """One photo or several: any format, size and orientation."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A folder, or for one photo a .png file. Left out: PHOTO-garment.png in the working directory."""
    mask: MaskOption = AUTO
    """White where the garment is, of the photo's size; for several photos, a folder of masks named so.
    auto finds it by the parser, none takes the whole photo."""
    parser: ParserOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    category: CategoryOption = "upper"
    """What to restore."""
    batch: int = 1
    """Photos that are restored at once."""
    options: OwnModelOptions = IGR_OPTIONS
    """Which model restores, how, and on what."""

    def run(self) -> int:
        """Restore, report each failure on one line, and return the exit code."""
        outcomes = restore_photos(
            self.photos,
            output=self.output,
            mask=self.mask,
            parser=self.parser,
            category=self.category,
            batch=self.batch,
            options=self.options,
        )
        return report(outcomes)


def restore_photos(
    photos: Sequence[Path],
    *,
    output: Path | None = None,
    mask: Path | str = AUTO,
    parser: str = "tiny",
    category: str = "upper",
    batch: int = 1,
    options: ModelOptions = IGR_OPTIONS,
) -> list[Outcome]:
    """Restore the garments of photos and write them as PNGs; the arguments are those of `Restore`.

    A photo that cannot be read is reported on stderr, and the others are done.

    Returns:
        What became of each photo, in their order.

    Raises:
        ToileError: when nothing can be done: the model, a setting or the output is wrong.
    """
    jobs = plan_jobs(photos, output=output, mask=given_mask(mask))
    options.check(category)
    check_count("batch", batch)
    pipeline = options.load("igr")
    size = options.canvas(pipeline)
    for folder in {job.output.parent for job in jobs}:
        check_writable(folder)
    finder = NotedMasks(category, parser=parser, device=str(pipeline.device)) if mask == AUTO else None
    if mask == NONE:
        say(NO_MASK)
    with Progress(len(jobs) * pipeline.check_steps(options.steps), "restoring") as progress:
        for loaded in load_batches(jobs, size, batch, progress.fail, finder):
            garments = restore_pictures(
                pipeline,
                [item.photo for item in loaded],
                [item.mask for item in loaded],
                [category] * len(loaded),
                seeds=[options.seed] * len(loaded),
                drawing=options.drawing,
                on_step=progress.step,
            )
            for item, garment in zip(loaded, garments, strict=True):
                own = {"category": category, "photo": item.job.photo.name, "mask": item.mask_origin}
                progress.save(item.job, {item.job.output: garment}, options.metadata(pipeline) | own)
    if finder is not None:
        finder.note("--mask", NO_MASK)
    return progress.outcomes(jobs)
