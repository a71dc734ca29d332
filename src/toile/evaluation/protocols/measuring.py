"""Measures pictures by the chunk: each is decoded once, and every metric and network looks at it then."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from PIL import Image

from toile.data.picture_files import read_mask
from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.protocols.chunks import CHUNK, Chunk
from toile.evaluation.protocols.comparison import (
    compared,
    is_input,
    is_repainted,
    is_truth,
    resized,
    with_cut,
)
from toile.evaluation.protocols.instruments import Instruments
from toile.evaluation.protocols.prediction_files import pixels_hash
from toile.evaluation.protocols.protocol import MetricUse, PictureRules
from toile.evaluation.protocols.regions import Regions
from toile.evaluation.protocols.truths import RealPicture, Shown, Truth
from toile.images import load_photo

THREADS = 2
"""Pictures that are decoded at once, while others are measured."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One picture to be measured."""

    truth: Truth
    """What it is compared with."""
    path: Path
    """Its file."""
    name: str
    """The file, relative to the predictions' folder."""
    sha256: str
    """The file's hash."""
    cut: Path | None = None
    """A mask that cuts the garment out first; None keeps the whole picture."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a process has to know to measure a chunk."""

    predictions: tuple[Prediction, ...]
    """Sorted by identifier."""
    reference: tuple[RealPicture, ...]
    """The real set, sorted; empty where it is the targets, or not needed."""
    targets_are_real: bool
    """Whether the networks look at the targets too."""
    rules: PictureRules
    """How pictures are compared."""
    uses: tuple[MetricUse, ...]
    """The metrics."""
    batch_size: int
    """Pictures given to a metric at a time."""
    regions: Regions
    """Finds where garments are worn in predictions."""
    backbones: Backbones
    """Where networks lie."""
    device: str
    """Where they run."""
    folder: Path
    """Where chunks are written."""


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    """A prediction with its pictures."""

    entry: Prediction
    picture: Image.Image
    known: Shown


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread: sums are rounded alike on every machine with as many cores or more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measure_predictions(plan: Plan, instruments: Instruments, number: int) -> Chunk:
    """Measure the chunk of predictions of that number.

    Raises:
        ToileError: when a picture cannot be read, or does not fit its truth.
    """
    items: list[dict[str, Any]] = []
    columns: dict[str, list[np.ndarray]] = {}
    entries = plan.predictions[number * CHUNK : (number + 1) * CHUNK]
    for batch in _batches(entries, plan.batch_size):
        regions = plan.regions.of([item.entry.truth.identifier for item in batch], [i.picture for i in batch])
        for name, rows in _measured(plan, instruments, batch, regions).items():
            columns.setdefault(name, []).append(rows)
        items += [_item(item) for item in batch]
    return Chunk(items=items, arrays={name: np.concatenate(rows) for name, rows in columns.items()})


def measure_reference(plan: Plan, instruments: Instruments, number: int) -> Chunk:
    """Take the features of the chunk of real pictures of that number.

    Raises:
        ToileError: when a picture cannot be read.
    """
    entries = plan.reference[number * CHUNK : (number + 1) * CHUNK]
    items = [{"identifier": entry.identifier} for entry in entries]
    columns: dict[str, list[np.ndarray]] = {name: [] for name in instruments.extractors}
    for start in range(0, len(entries), plan.batch_size):
        shown = [entry.show() for entry in entries[start : start + plan.batch_size]]
        pictures = [_for_sets(picture, plan.rules) for picture in shown]
        for name, extractor in instruments.extractors.items():
            columns[name].append(extractor(pictures))
    return Chunk(items=items, arrays={f"real:{name}": np.concatenate(rows) for name, rows in columns.items()})


def _batches(entries: Sequence[Prediction], size: int) -> Iterator[list[_Loaded]]:
    """Batches of loaded pictures; the next one is being decoded while this one is measured."""
    cut = [entries[start : start + size] for start in range(0, len(entries), size)]
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(_load, entry) for entry in cut[0]] if cut else []
        for following in (*cut[1:], ()):
            batch = waiting
            waiting = [pool.submit(_load, entry) for entry in following]
            yield [loading.result() for loading in batch]


def _load(entry: Prediction) -> _Loaded:
    picture = load_photo(entry.path)
    cut = None if entry.cut is None else read_mask(entry.cut)
    return _Loaded(entry=entry, picture=with_cut(picture, cut), known=entry.truth.show())


def _measured(
    plan: Plan,
    instruments: Instruments,
    batch: Sequence[_Loaded],
    regions: Sequence[dict[str, Image.Image]],
) -> dict[str, np.ndarray]:
    """Every metric's values and every network's features of a batch."""
    made: dict[tuple[object, bool], list[Sample]] = {}
    for use in (*plan.uses, MetricUse(name="")):  # the last one stands for the sets' networks
        if (use.size, use.grey) not in made:
            made[use.size, use.grey] = [
                compared(item.entry.truth.identifier, item.picture, item.known, plan.rules, use, of_item)
                for item, of_item in zip(batch, regions, strict=True)
            ]
    columns: dict[str, np.ndarray] = {}
    for use in plan.uses:
        metric = instruments.per_image.get(use.name)
        if metric is not None:
            values = _values(metric.spec.needs, made[use.size, use.grey], metric)
            columns[f"value:{use.name}"] = values * use.scale
    return columns | _features(plan, instruments, batch, made[None, False])


def _features(
    plan: Plan, instruments: Instruments, batch: Sequence[_Loaded], samples: Sequence[Sample]
) -> dict[str, np.ndarray]:
    raw = plan.rules.sets_as_written
    predicted = [item.picture for item in batch] if raw else [sample.prediction for sample in samples]
    targets = [item.known.target if raw else s.target for item, s in zip(batch, samples, strict=True)]
    real = [target for target in targets if target is not None] if plan.targets_are_real else []
    columns = {f"predicted:{name}": network(predicted) for name, network in instruments.extractors.items()}
    if real:
        columns |= {f"real:{name}": network(real) for name, network in instruments.extractors.items()}
    return columns


def _values(needs: frozenset[str], samples: Sequence[Sample], metric: Any) -> Float64[np.ndarray, " B"]:
    """A metric's values, NaN for samples that lack what it needs."""
    values = np.full(len(samples), np.nan)
    rows = [row for row, sample in enumerate(samples) if needs <= _has(sample)]
    if rows:
        values[rows] = metric([samples[row] for row in rows])
    return values


def _has(sample: Sample) -> frozenset[str]:
    """What of the metrics' needs a sample meets."""
    inside = sample.silhouette is not None and sample.silhouette.getbbox() is not None
    regions = bool(sample.garments) and all(garment.region is not None for garment in sample.garments)
    met: Mapping[str, bool] = {
        "target": sample.target is not None,
        "silhouette": inside,
        "prompt": sample.prompt is not None,
        "garments": bool(sample.garments),
        "regions": regions,
    }
    return frozenset(name for name, is_met in met.items() if is_met)


def _for_sets(picture: Image.Image, rules: PictureRules) -> Image.Image:
    """A real picture as the networks see it."""
    return picture if rules.sets_as_written or rules.size is None else resized(picture, rules.size, rules)


def _item(item: _Loaded) -> dict[str, Any]:
    """What the result says of a prediction, and what makes it suspicious."""
    known, target = item.known, item.known.target
    if not item.entry.truth.identifier:
        raise ToileError(f"{item.entry.name} belongs to a pair without a name")
    return {
        "identifier": item.entry.truth.identifier,
        "category": known.category,
        "labels": list(known.labels),
        "prediction": item.entry.name,
        "target": known.target_name,
        "inputs": list(known.input_names),
        "prediction_sha256": item.entry.sha256,
        "target_sha256": "" if target is None else pixels_hash(target),
        "equals-input": is_input(item.picture, known),
        "equals-truth": is_truth(item.picture, known),
        "repainted": is_repainted(item.picture, known),
    }
