"""What a command has to do: one job a photo, the pictures that it needs, and where its result goes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from toile.cli.automatic_masks import NotedMasks
from toile.errors import ToileError
from toile.images import load_mask, load_photo
from toile.mask_names import mask_among, mask_names
from toile.tasks.masks import check_region


@dataclass(frozen=True, kw_only=True)
class Job:
    """One photo to work on."""

    photo: Path
    """The photo's file."""
    mask: Path | None
    """The file of its mask; None leaves it to be found, or takes the whole photo."""
    output: Path
    """The PNG to write."""


@dataclass(frozen=True, kw_only=True)
class LoadedJob:
    """A job whose pictures have been read."""

    job: Job
    """What they were read for."""
    photo: Image.Image
    """The photo, upright RGB."""
    mask: Image.Image | None
    """Its mask, "L", 0 or 255, of the photo's size."""

    @property
    def mask_origin(self) -> bool | str:
        """Whether there is a mask, for a picture's metadata: True, False, or "automatic"."""
        return "automatic" if self.mask is not None and self.job.mask is None else self.mask is not None


def plan_jobs(
    photos: Sequence[Path], *, output: Path | None = None, mask: Path | None = None, what: str = "garment"
) -> list[Job]:
    """Say for each photo where its mask is and where what is made of it goes.

    Args:
        photos: files; whether they can be read is not looked at yet.
        output: a folder, or for one photo a .png file; None is the working directory.
        mask: a mask for one photo, or a folder of masks, named as `mask_names` says.
        what: the end of the outputs' names.

    Raises:
        ToileError: when there is no photo, or the names contradict one another.
    """
    if not photos:
        raise ToileError("no photo was given; write at least one")
    masks = _masks(photos, mask)
    outputs = output_paths([f"{photo.stem}-{what}.png" for photo in photos], output)
    _check_different(photos, outputs)
    check_not_inputs(outputs, photos)
    return [
        Job(photo=photo, mask=region, output=target)
        for photo, region, target in zip(photos, masks, outputs, strict=True)
    ]


def _masks(photos: Sequence[Path], mask: Path | None) -> Sequence[Path | None]:
    if mask is None:
        return [None] * len(photos)
    if not mask.exists():
        raise ToileError(f"mask {mask} does not exist; check the name")
    if mask.is_dir():
        files = {path.stem: path for path in sorted(mask.iterdir())}
        return [mask_among(files, photo.stem) or mask / f"{photo.stem}.png" for photo in photos]
    if len(photos) > 1:
        raise ToileError(
            f"mask {mask} is one file for {len(photos)} photos; give a folder of masks named as they are"
        )
    return [mask]


def output_paths(names: Sequence[str], output: Path | None) -> list[Path]:
    """Say where results go.

    Args:
        names: of the files, where the user has not named one.
        output: a folder, or for one result a .png file; None is the working directory.

    Raises:
        ToileError: when it is a file of another kind, or one file for several results.
    """
    if output is None:
        return [Path(name) for name in names]
    if output.is_dir() or output.suffix == "":
        return [output / name for name in names]
    if output.suffix.lower() != ".png":
        raise ToileError(f"output {output} ends in {output.suffix}; pictures are written as .png")
    if len(names) > 1:
        raise ToileError(f"output {output} is one file for {len(names)} photos; give a folder")
    return [output]


def check_not_inputs(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Refuse to write over what is read.

    Raises:
        ToileError: naming the first such output.
    """
    read = {path.resolve() for path in inputs}
    for path in outputs:
        if path.resolve() in read:
            raise ToileError(f"output {path} is one of the photos; choose another output")


def _check_different(photos: Sequence[Path], outputs: Sequence[Path]) -> None:
    first: dict[Path, Path] = {}
    for photo, target in zip(photos, outputs, strict=True):
        if target in first:
            raise ToileError(f"{first[target]} and {photo} would both be written to {target}; do them apart")
        first[target] = photo


def load_job(job: Job, size: tuple[int, int], finder: NotedMasks | None = None) -> LoadedJob:
    """Read a job's pictures.

    Args:
        job: says which.
        size: (height, width) that will be worked at.
        finder: finds the mask where none was given.

    Raises:
        ToileError: when one cannot be used, or nothing of the mask is left at that size.
    """
    photo = load_photo(job.photo)
    if job.mask is not None and not job.mask.exists():  # in a folder; one that was named itself is there
        names = " or ".join(f"{name}.png" for name in mask_names(job.photo.stem))
        raise ToileError(f"{job.photo} has no mask in {job.mask.parent}; name it {names}")
    mask = None if job.mask is None else load_region(job.mask, photo, size)
    if job.mask is None and finder is not None:
        mask = finder.find(photo, job.photo.name, size)
    return LoadedJob(job=job, photo=photo, mask=mask)


def load_region(path: Path, photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Read the mask of a photo, "L", 0 or 255.

    Args:
        path: of the mask.
        photo: what it belongs to.
        size: (height, width) that will be worked at.

    Raises:
        ToileError: when it cannot be used, or nothing of it is left at that size.
    """
    return check_region(load_mask(path, photo.size), size, f"mask {path}")


def load_batches(
    jobs: Sequence[Job],
    size: tuple[int, int],
    batch: int,
    on_failure: Callable[[Job, ToileError], None],
    finder: NotedMasks | None = None,
) -> Iterator[list[LoadedJob]]:
    """Read pictures as they are needed: bad ones go to `on_failure`, good ones come in full batches."""
    loaded: list[LoadedJob] = []
    for job in jobs:
        try:
            loaded.append(load_job(job, size, finder))
        except ToileError as error:
            on_failure(job, error)
        if len(loaded) == batch:
            yield loaded
            loaded = []
    if loaded:
        yield loaded
