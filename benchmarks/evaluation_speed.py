"""What an evaluation costs: every metric in one pass, against one tool after another.

    python -m benchmarks.evaluation_speed --counts 1000
    python -m benchmarks.evaluation_speed --counts 1000 10000 --one-pass-only

Pairs at 256×192 are written first: Paper Dolls' garments, rolled aside and with some noise, until
there are enough. `one pass` is what `toile evaluate` does, checks and chunks on disk included. `tool by tool`
runs each metric in a process of its own, which reads the files that this metric needs, and no other, again:
the same functions, so that only the way differs. Everything runs on one thread; the seconds, of the wall and
of the processor, count from the start of a process to its end. The memory is the largest process's peak, and
how much of it came on top of the libraries. Only metrics whose weights this library has, or that need none,
take part; the network of dolls has random weights, which changes no time.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

SIZE = (256, 192)
METRICS = (
    "ssim", "ms_ssim", "cw_ssim", "psnr", "dists_dolls", "l1_within", "delta_e", "edges", "iou", "fd_dolls",
)  # fmt: skip
ONE_PASS = "one pass"
DRAWN = 50
"""Dolls that all pairs are made of."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured."""

    counts: Annotated[tuple[int, ...], tyro.conf.arg(metavar="COUNT [COUNT...]")] = (1000,)
    """Numbers of pairs."""
    one_pass_only: bool = False
    """Leave the separate tools out."""
    batch_size: int = 8
    """Pictures measured at a time."""
    way: str = ""
    """Used by the benchmark itself: run one way on `folder` in this process."""
    folder: Path = Path()
    """Used by the benchmark itself."""


def beside(folder: Path) -> Path:
    """Where the predictions for a dataset lie: not within it, which `toile evaluate` refuses."""
    return folder.with_name(f"{folder.name}-predictions")


def write_pairs(folder: Path, count: int) -> None:
    """A dataset in VITON-HD's layout, and predictions for it."""
    from toile.data.doll_pairs import doll_pair

    dolls = [
        doll_pair(seed, SIZE, "studio")
        for seed in tqdm(range(DRAWN), desc="drawing", leave=False, disable=None)
    ]
    drawn = [(doll.person, doll.garment, doll.silhouette) for doll in dolls]
    generator = np.random.default_rng(0)
    predictions = beside(folder)
    predictions.mkdir()
    for name in ("test/image", "test/cloth", "test/cloth-mask"):
        (folder / name).mkdir(parents=True)
    for number in tqdm(range(count), desc="writing", leave=False, disable=None):
        person, garment, silhouette = (np.asarray(picture) for picture in drawn[number % DRAWN])
        shift = number // DRAWN
        person, garment, silhouette = (np.roll(p, shift, axis=1) for p in (person, garment, silhouette))
        noisy = garment.astype(np.int16) + generator.integers(-20, 21, garment.shape)
        stem = f"{number:05d}_00"
        Image.fromarray(person).save(folder / "test/image" / f"{stem}.jpg", quality=95)
        Image.fromarray(garment).save(folder / "test/cloth" / f"{stem}.jpg", quality=95)
        Image.fromarray(silhouette).save(folder / "test/cloth-mask" / f"{stem}.png")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(predictions / f"{stem}.png")
    rows = "".join(f"{number:05d}_00.jpg {number:05d}_00.jpg\n" for number in range(count))
    (folder / "test_pairs.txt").write_text(rows)


def one_pass(folder: Path, batch_size: int) -> None:
    """Everything at once, as `toile evaluate` does it."""
    from dataclasses import replace

    from toile.evaluation.metrics.backbones import Backbones
    from toile.evaluation.protocols.built_in import IGR_PAIRED, metrics
    from toile.evaluation.protocols.evaluate import evaluate
    from toile.evaluation.protocols.options import EvaluationOptions
    from toile.evaluation.protocols.protocol import Statistics

    protocol = replace(
        IGR_PAIRED,
        pictures=replace(IGR_PAIRED.pictures, size=SIZE, prediction_size=SIZE),
        metrics=metrics(*METRICS),
        statistics=Statistics(set_resamples=0),
    )
    backbones = Backbones(dolls=folder.parent / "network")
    evaluate(
        beside(folder),
        protocol,
        folder / f"result-{time.time_ns()}.json",
        data=str(folder),
        options=EvaluationOptions(backbones=backbones, batch_size=batch_size),
    )


def one_metric(folder: Path, name: str, batch_size: int) -> None:
    """One metric, reading what it needs."""
    from toile.data.open import open_pairs
    from toile.evaluation.metrics.backbones import Backbones
    from toile.evaluation.metrics.registry import make_extractor, make_metric
    from toile.evaluation.metrics.sample import Sample
    from toile.evaluation.metrics.spec import SetMetric
    from toile.images import load_photo

    pairs = open_pairs(str(folder), split="test")
    backbones = Backbones(dolls=folder.parent / "network")
    metric = make_metric(name, backbones)
    starts = range(0, len(pairs), batch_size)
    if isinstance(metric, SetMetric):
        extractor, features = make_extractor(metric.extractor, backbones), []
        for side in (beside(folder), folder / "test" / "cloth"):
            files = sorted(side.iterdir())
            found = [extractor([load_photo(f) for f in files[s : s + batch_size]]) for s in starts]
            features.append(np.concatenate(found))
        metric(features[1], features[0])
        return
    for start in starts:
        batch = [pairs[i] for i in range(start, min(start + batch_size, len(pairs)))]
        metric(
            [
                Sample(
                    identifier=pair.identifier,
                    prediction=load_photo(beside(folder) / f"{pair.identifier}.png"),
                    target=pair.garment if "target" in metric.spec.needs else None,
                    silhouette=pair.silhouette if "silhouette" in metric.spec.needs else None,
                )
                for pair in batch
            ]
        )


def run_way(settings: Settings) -> None:
    """Run the pass or one metric, and print the peak of memory and what the libraries took, in MiB."""
    import torch

    from toile.evaluation.metrics import registry  # noqa: F401  # the libraries count for themselves

    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if settings.way == ONE_PASS:
        one_pass(settings.folder, settings.batch_size)
    else:
        one_metric(settings.folder, settings.way, settings.batch_size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{peak:.1f} {before:.1f}")


def measured(ways: Sequence[str], folder: Path, batch_size: int) -> list[float]:
    """Run each of `ways` in a process of its own: seconds of wall and processor, largest peak, libraries."""
    wall, processor, peaks = time.perf_counter(), _processor(), []
    for way in tqdm(ways, desc="measuring", leave=False, disable=None):
        words = ["--way", way, "--folder", str(folder), "--batch-size", str(batch_size)]
        command = [sys.executable, "-m", "benchmarks.evaluation_speed", *words]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        peaks.append([float(number) for number in run.stdout.split()[-2:]])
    return [time.perf_counter() - wall, _processor() - processor, *max(peaks)]


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(rows: Sequence[tuple[int, str, list[float]]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| pairs | way | wall, s | processor, s | ms a pair | peak, MiB | on top of libraries, MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for count, way, (wall, cpu, peak, before) in rows:
        each = 1000 * cpu / count
        lines.append(
            f"| {count} | {way} | {wall:.1f} | {cpu:.1f} | {each:.1f} | {peak:.0f} | {peak - before:.0f} |"
        )
    return "\n".join(lines)


def main(settings: Settings) -> None:
    if settings.way:
        run_way(settings)
        return
    from toile.evaluation.doll_features import DollFeatures

    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        DollFeatures().save_pretrained(Path(scratch) / "network")
        for count in settings.counts:
            folder = Path(scratch) / str(count)
            write_pairs(folder, count)
            rows.append((count, ONE_PASS, measured([ONE_PASS], folder, settings.batch_size)))
            if not settings.one_pass_only:
                rows.append((count, "tool by tool", measured(METRICS, folder, settings.batch_size)))
    print(table(rows))


if __name__ == "__main__":
    main(tyro.cli(Settings))
