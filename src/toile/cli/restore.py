"""`toile restore`: photos of people in, flat garments out."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from PIL import Image
from tqdm import tqdm

from toile import __version__
from toile.cli.restore_jobs import Job, LoadedJob, load_batches, plan_jobs
from toile.cli.size import parse_size
from toile.errors import ToileError
from toile.files import check_writable
from toile.images import save_png

CATEGORIES = ("upper", "lower", "dress")
DTYPES = ("float32", "float16", "bfloat16")
NO_MASK = "without a mask the whole photo counts as the region; a mask of the garment (--mask) improves it"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one photo."""

    job: Job
    """The photo, and where its garment should be."""
    error: str | None = None
    """Why nothing was written; None means that it was."""


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Restore the flat garment from a photo of a person who wears it.

    The same photo with the same seed gives the same picture, alone or among others.
    Every PNG carries its model, seed and settings in the text chunk `toile`.
    Exit code: 0 when every photo was restored, 1 when some failed, 2 when none could be.
    """

    photos: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PHOTO [PHOTO...]")]
    """One photo or several: any format, size and orientation."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A folder, or for one photo a .png file. Left out: PHOTO-garment.png in the working directory."""
    mask: Annotated[Path | None, tyro.conf.arg(metavar="MASK")] = None
    """White where the garment is, of the photo's size; for several photos, a folder of masks named so."""
    category: Annotated[str, tyro.conf.arg(metavar="{upper,lower,dress}")] = "upper"
    """What to restore."""
    model: Annotated[str, tyro.conf.arg(metavar="tiny|PATH|NAME")] = "tiny"
    """The bundled model, a folder in diffusers layout, or a hub name."""
    steps: int = 25
    """Denoising steps."""
    guidance: float = 1.5
    """Guidance scale; 1 is none, and twice as fast."""
    seed: int = 0
    """Seed of every photo's noise."""
    size: Annotated[str | None, tyro.conf.arg(metavar="HxW")] = None
    """Size to work at and to write, as 1024x768. Left out: the model's own."""
    batch: int = 1
    """Photos that are restored at once."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: Annotated[str, tyro.conf.arg(metavar="{float32,float16,bfloat16}")] = "float32"
    """Kind of number to compute with."""

    def run(self) -> int:
        """Restore, report each failure on one line, and return the exit code."""
        outcomes = restore_photos(
            self.photos,
            output=self.output,
            mask=self.mask,
            category=self.category,
            model=self.model,
            steps=self.steps,
            guidance=self.guidance,
            seed=self.seed,
            size=None if self.size is None else parse_size(self.size),
            batch=self.batch,
            device=self.device,
            dtype=self.dtype,
        )
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        for outcome in outcomes:
            if outcome.error is None:
                print(outcome.job.output)
        return 0 if not failed else 2 if len(failed) == len(outcomes) else 1


def restore_photos(
    photos: Sequence[Path],
    *,
    output: Path | None = None,
    mask: Path | None = None,
    category: str = "upper",
    model: str = "tiny",
    steps: int = 25,
    guidance: float = 1.5,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    batch: int = 1,
    device: str = "auto",
    dtype: str = "float32",
) -> list[Outcome]:
    """Restore the garments of photos and write them as PNGs; the arguments are those of `Restore`.

    A photo that cannot be read is reported on stderr, and the others are done.

    Returns:
        What became of each photo, in their order.

    Raises:
        ToileError: when nothing can be done: the model, a setting or the output is wrong.
    """
    jobs = plan_jobs(photos, output=output, mask=mask)
    check_settings(category=category, steps=steps, guidance=guidance, seed=seed, batch=batch)
    pipeline = load_pipeline(model, device=device, dtype=dtype)
    size = pipeline.check_size(*(size or (None, None)))
    for folder in {job.output.parent for job in jobs}:
        check_writable(folder)
    if mask is None:
        print(f"note: {NO_MASK}", file=sys.stderr)
    numbers = {"steps": steps, "guidance": guidance, "seed": seed, "size": list(size), "dtype": dtype}
    settings = {"toile": __version__, "model": model, "category": category, **numbers}
    progress = Progress(len(jobs), steps)
    for loaded in load_batches(jobs, size, batch, progress.fail):
        garments = restore_pictures(
            pipeline,
            [item.photo for item in loaded],
            [item.mask for item in loaded],
            category,
            steps=steps,
            guidance=guidance,
            seeds=[seed] * len(loaded),
            size=size,
            on_step=progress.step,
        )
        write_garments(loaded, garments, settings, progress.fail)
    progress.bar.close()
    return [Outcome(job=job, error=progress.failures.get(job)) for job in jobs]


class Progress:
    """The progress bar of a whole run, and what failed in it."""

    def __init__(self, photos: int, steps: int) -> None:
        self.failures: dict[Job, str] = {}
        self.bar = tqdm(total=photos * steps, unit="step", desc="restoring", file=sys.stderr, leave=False)

    def step(self, photos: int) -> None:
        """Some photos have come one step further."""
        self.bar.update(photos)

    def fail(self, job: Job, error: ToileError) -> None:
        """Report a photo that cannot be restored, on one line."""
        self.failures[job] = str(error)
        self.bar.write(f"toile: {error}", file=sys.stderr)


def write_garments(
    loaded: Sequence[LoadedJob],
    garments: Sequence[Image.Image],
    settings: dict[str, object],
    on_failure: Callable[[Job, ToileError], None],
) -> None:
    """Write the garments of one batch, each with its settings."""
    for item, garment in zip(loaded, garments, strict=True):
        own = {"photo": item.job.photo.name, "mask": item.mask is not None}
        try:
            save_png(garment, item.job.output, settings | own)
        except ToileError as error:
            on_failure(item.job, error)


def check_settings(*, category: str, steps: int, guidance: float, seed: int, batch: int) -> None:
    """Refuse what cannot be restored with, before a model is loaded.

    Raises:
        ToileError: naming the setting, its value, and what it may be.
    """
    if category not in CATEGORIES:
        raise ToileError(f"category {category!r} is unknown; write one of {', '.join(CATEGORIES)}")
    if not 1 <= steps <= 1000:
        raise ToileError(f"steps is {steps}; it must lie between 1 and 1000")
    if batch < 1:
        raise ToileError(f"batch is {batch}; it must be at least 1")
    if not 0 <= guidance <= 100:
        raise ToileError(f"guidance is {guidance}; it must lie between 0 and 100")
    if not 0 <= seed < 2**63:
        raise ToileError(f"seed is {seed}; it must lie between 0 and 2**63 - 1")


def load_pipeline(model: str, *, device: str = "auto", dtype: str = "float32") -> Any:
    """Load an `IGRPipeline`, quietly, onto a device.

    Raises:
        ToileError: when the model, the device or the kind of number is not there.
    """
    import diffusers
    import torch
    import transformers

    for library in (diffusers, transformers):  # before more of them is imported, as that already warns
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()

    from toile.igr.pipeline import IGRPipeline

    if dtype not in DTYPES:
        raise ToileError(f"dtype {dtype!r} is unknown; write one of {', '.join(DTYPES)}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ToileError(
            f"device {device!r} cannot be used ({reason}); write cpu, or cuda for a GPU"
        ) from error
    pipeline = IGRPipeline.from_pretrained(model, dtype=getattr(torch, dtype)).to(device)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def restore_pictures(
    pipeline: Any,
    photos: Sequence[Image.Image],
    masks: Sequence[Image.Image | None],
    category: str | Sequence[str],
    *,
    steps: int,
    guidance: float,
    seeds: Sequence[int],
    size: tuple[int, int],
    on_step: Callable[[int], object],
) -> list[Image.Image]:
    """Restore one batch in memory, each photo from its own seed; `on_step` is told how many took a step.

    Raises:
        ToileError: when there is not enough memory for it.
    """
    import torch

    from toile.diffusion.noise import item_generators

    def step_done(*_: object) -> None:
        on_step(len(photos))

    try:
        restored: list[Image.Image] = pipeline(
            list(photos),
            list(masks),
            category if isinstance(category, str) else list(category),
            num_inference_steps=steps,
            guidance_scale=guidance,
            height=size[0],
            width=size[1],
            generator=item_generators(seeds),
            callback_on_step_end=step_done,
        ).images
    except torch.OutOfMemoryError as error:
        many = f"{len(photos)} photos at once at {size[0]}×{size[1]}"
        raise ToileError(f"there is not enough memory for {many}; lower the batch or the size") from error
    return restored
