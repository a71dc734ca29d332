"""Writes dolls to disk in the layout of a public dataset, resumable and with several processes."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from toile.dolls.doll import MODES, Category, Doll, Mode
from toile.dolls.draw import check_request, draw_doll
from toile.dolls.layouts import (
    LAYOUTS,
    SPLITS,
    Content,
    Layout,
    Split,
    file_contents,
    file_names,
    person_name,
)
from toile.dolls.pair_lists import LOG_FILE, Row, take_up, write_lists
from toile.errors import ToileError
from toile.files import whole_file, write_text

JPEG = {"quality": 95, "subsampling": 0}


@dataclass(frozen=True, kw_only=True)
class DatasetSettings:
    """What a dataset of dolls consists of.

    Raises:
        ToileError: A field that cannot be drawn or written.
    """

    out: Path
    """Folder of the dataset; further splits may be written into the same folder."""
    count: int
    """How many dolls."""
    first_seed: int = 0
    """Seed of the first doll; the others follow."""
    layout: Layout = "viton-hd"
    """`viton-hd` (upper garments only) or `dresscode` (all three categories, drawn from the seed)."""
    split: Split = "train"
    """Which split they go into."""
    size: tuple[int, int] = (1024, 768)
    """(height, width) of every picture."""
    mode: Mode = "studio"
    """`studio` or `street`."""
    workers: int = 1
    """How many processes draw."""

    def __post_init__(self) -> None:
        """Refuses what cannot be written."""
        for name, value, options in (
            ("layout", self.layout, LAYOUTS),
            ("split", self.split, SPLITS),
            ("mode", self.mode, MODES),
        ):
            if value not in options:
                raise ToileError(f"{name} is one of {', '.join(options)}, not {value!r}")
        if self.count < 1 or self.workers < 1:
            raise ToileError(f"count and workers are at least 1, not {self.count} and {self.workers}")
        check_request(self.first_seed, self.size, self.mode, None)

    @property
    def category(self) -> Category | None:
        """VITON-HD holds upper garments only; DressCode takes the seed's category."""
        return "upper" if self.layout == "viton-hd" else None


def write_dataset(settings: DatasetSettings, *, progress: bool = True) -> int:
    """Draws and writes a dataset; dolls that are already complete are skipped.

    Every file is written beside its place and renamed, so an interrupted run leaves no half-written picture,
    and the next run goes on where it stopped. The lists of pairs hold everything written so far.

    Returns:
        How many dolls were drawn (and not skipped).

    Raises:
        ToileError: The folder cannot be written, or holds a dataset of another layout, size or mode.
    """
    try:
        _claim(settings)
        rows = take_up(settings.out)
        missing = [seed for seed in _seeds(settings) if not _complete(settings, seed, rows)]
        with (
            _log(settings.out) as log,
            tqdm(
                total=settings.count,
                initial=settings.count - len(missing),
                unit="doll",
                desc=f"{settings.layout} {settings.split}",
                disable=not progress,
            ) as bar,
        ):
            for row in _drawn(settings, missing):
                log.write(json.dumps(row) + "\n")
                bar.update()
    except OSError as error:
        raise ToileError(
            f"{settings.out} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
    except BrokenProcessPool as error:
        raise ToileError(
            "a worker process ended (out of memory?); run the command again with fewer workers"
        ) from error
    return len(missing)


def write_doll(settings: DatasetSettings, seed: int) -> Row:
    """Draws one doll, writes its files and returns its line of `dolls.jsonl`."""
    doll = draw_doll(seed, settings.size, settings.mode, settings.category)
    roles = file_names(seed, settings.layout, settings.split, doll.category)
    for path, content in file_contents(doll, roles).items():
        _write_file(settings.out / path, content)
    return describe(doll, settings.layout, settings.split)


def describe(doll: Doll, layout: Layout, split: Split) -> Row:
    """A doll's line of `dolls.jsonl`."""
    return {
        "identifier": Path(person_name(doll.seed, layout)).stem,
        "seed": doll.seed,
        "split": split,
        "mode": doll.mode,
        "category": doll.category,
        "caption": doll.caption,
        "garment_caption": doll.garment_caption,
        "reasons": list(doll.hardness.labels),
        "hardness": {name: round(value, 6) for name, value in asdict(doll.hardness).items()},
        "attributes": doll.garments[doll.category].attributes,
    }


def _seeds(settings: DatasetSettings) -> range:
    return range(settings.first_seed, settings.first_seed + settings.count)


def _claim(settings: DatasetSettings) -> None:
    """Creates the folder and records what it holds; refuses a folder that holds something else."""
    settings.out.mkdir(parents=True, exist_ok=True)
    mine: dict[str, Any] = {"layout": settings.layout, "size": list(settings.size), "mode": settings.mode}
    for split in SPLITS:
        path = settings.out / f"dolls_{split}.json"
        if not path.is_file():
            continue
        theirs = json.loads(path.read_text(encoding="utf-8"))
        shared = tuple(mine) if split == settings.split else ("layout",)
        for name in shared:
            if theirs[name] != mine[name]:
                raise ToileError(
                    f"{settings.out} holds dolls of {name} {theirs[name]}, not {mine[name]}; "
                    "write into another folder"
                )
    write_text(json.dumps(mine) + "\n", settings.out / f"dolls_{settings.split}.json")


def _complete(settings: DatasetSettings, seed: int, rows: dict[tuple[str, int], Row]) -> bool:
    row = rows.get((settings.split, seed))
    if row is None:
        return False
    names = file_names(seed, settings.layout, settings.split, row["category"])
    return all((settings.out / path).is_file() for path in names.values())


@contextmanager
def _log(out: Path) -> Iterator[Any]:
    """A log of finished dolls; at the end, however that comes, it becomes `dolls.jsonl` and the lists."""
    with (out / LOG_FILE).open("a", encoding="utf-8", buffering=1) as log:
        try:
            yield log
        finally:
            log.flush()
            write_lists(out)
    (out / LOG_FILE).unlink()


def _drawn(settings: DatasetSettings, seeds: list[int]) -> Iterator[Row]:
    """Draws and writes these dolls, here or in worker processes."""
    if settings.workers == 1 or len(seeds) < 2:
        for seed in seeds:
            yield write_doll(settings, seed)
        return
    pool = ProcessPoolExecutor(
        settings.workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts
    )
    try:
        yield from pool.map(write_doll, [settings] * len(seeds), seeds, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the main process, which lets the workers finish the doll in hand."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_file(path: Path, content: Content) -> None:
    if isinstance(content, str):
        write_text(content, path)
        return
    with whole_file(path) as beside:
        _save(content, beside, path.suffix)


def _save(picture: Image.Image, path: Path, suffix: str) -> None:
    if suffix == ".png":
        picture.save(path, format="PNG")
    elif picture.mode == "L":  # A mask: nothing may be lost.
        picture.save(path, format="JPEG", quality=100)
    else:
        picture.save(path, format="JPEG", **JPEG)
