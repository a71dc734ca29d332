"""How fast pairs are read, and how long a training waits for them.

    python -m benchmarks.loading pictures            # VITON-HD's size: ours, a plain PIL loop, a DataLoader
    python -m benchmarks.loading training             # IGR and TWGTM on dolls, with and without a cache

Everything runs on one core. `pictures` writes a set of Paper Dolls at 1024×768 in VITON-HD's layout and reads
person, garment, agnostic mask and silhouette of each pair, fitted to 512×384, once flipped and shifted.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import tyro
from PIL import Image, ImageOps
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from toile.data.augmentation import AugmentationSettings, AugmentedPairs
from toile.data.faults import FaultLog
from toile.data.open import open_pairs
from toile.data.readable import ReadablePairs
from toile.data.tensors import pair_tensors
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SIZE = (512, 384)
FOLDERS = ("image", "cloth", "agnostic-mask", "cloth-mask")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What is measured."""

    what: Annotated[Literal["pictures", "training"], tyro.conf.Positional]
    """Reading pictures, or training steps."""
    pairs: int = 60
    """Pairs to read, or to train on."""
    repeats: int = 5
    """How often the pictures are read, the three ways in turn."""
    steps: int = 40
    """Steps of each training; the first ten are not counted."""


def plain_pictures(folder: Path) -> Iterator[np.ndarray]:
    """A loop that somebody would write in a minute: PIL, resize, flip, array."""
    for line in (folder.parent / "train_pairs.txt").read_text().splitlines():
        stem = Path(line.split()[0]).stem
        for name in FOLDERS:
            found = next((folder / name).glob(f"{stem}*"))
            with Image.open(found) as picture:
                fitted = picture.convert("L" if "mask" in name else "RGB").resize(SIZE[::-1])
            yield np.asarray(ImageOps.mirror(fitted))


class NaivePairs(Dataset):
    """The same as a torch dataset, the transforms written naively."""

    def __init__(self, folder: Path) -> None:
        rows = (folder.parent / "train_pairs.txt").read_text().splitlines()
        self.folder, self.stems = folder, [Path(row.split()[0]).stem for row in rows]

    def __len__(self) -> int:
        return len(self.stems)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        item = {}
        for name in FOLDERS:
            found = next((self.folder / name).glob(f"{self.stems[index]}*"))
            with Image.open(found) as picture:
                fitted = picture.convert("L" if "mask" in name else "RGB").resize(SIZE[::-1])
            pixels = np.atleast_3d(np.asarray(fitted))[:, ::-1]
            item[name] = torch.from_numpy(pixels.copy()).movedim(-1, 0).float() / 127.5 - 1
        return item


def seconds(action: Callable[[], object]) -> float:
    """How long something takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def measure_pictures(arguments: Arguments, folder: Path) -> Table:
    """Pictures a second of the three ways, the median of interleaved repeats."""
    write_dataset(DatasetSettings(out=folder, count=arguments.pairs, size=(1024, 768)), progress=False)
    opened = open_pairs(str(folder), size=SIZE)
    readable = ReadablePairs(opened, FaultLog(folder / "faults"))
    augmented = ReadablePairs(
        AugmentedPairs(opened, AugmentationSettings(), seed=0), FaultLog(folder / "faults")
    )
    naive = DataLoader(NaivePairs(folder / "train"), batch_size=4)
    ways: dict[str, Callable[[], object]] = {
        "toile": lambda: [pair_tensors(readable[index], SIZE) for index in range(len(readable))],
        "toile, augmented": lambda: [pair_tensors(augmented[index], SIZE) for index in range(len(augmented))],
        "plain PIL loop": lambda: list(plain_pictures(folder / "train")),
        "naive dataset in torch's DataLoader": lambda: list(naive),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.repeats):
        for name, way in ways.items():
            times[name].append(seconds(way))
    table = Table("way", "pictures a second on one core", title=f"{arguments.pairs} pairs of four pictures")
    for name, values in times.items():
        table.add_row(name, f"{4 * arguments.pairs / float(np.median(values)):.0f}")
    return table


def measure_training(arguments: Arguments, folder: Path) -> Table:
    """Seconds a step and the share of waiting, with pairs encoded ahead and in the step."""
    table = Table("training", "encoded", "seconds a step", "waiting for data", title="batches of 8, one core")
    for name in ("igr-tiny-coarse", "twgtm-tiny-stage-2"):
        training = find_training(name)
        recipe = training.recipe()
        optimization = replace(recipe.optimization, steps=arguments.steps, batch_size=8)
        for cache in (folder / "cache", None):
            run = RunSettings(
                folder=folder / f"{name}-{cache is None}", device="cpu", threads=1, log_every=10
            )
            data = f"dolls:0:{arguments.pairs}:mixed"
            sources = Sources(data=data, unseen="dolls:9991000:2", cache=cache)
            training.start(replace(recipe, optimization=optimization), sources, run)
            rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()][1:]
            step, waiting = (
                float(np.mean([row[key] for row in rows])) for key in ("seconds", "waiting_seconds")
            )
            table.add_row(
                name, "in the step" if cache is None else "ahead", f"{step:.2f}", f"{waiting / step:.1%}"
            )
    return table


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    torch.set_num_threads(1)
    measure = {"pictures": measure_pictures, "training": measure_training}[arguments.what]
    with tempfile.TemporaryDirectory() as folder:
        Console().print(measure(arguments, Path(folder)))


if __name__ == "__main__":
    main()
