"""Puts chunks together: values in the order of the items, means with intervals, figures of whole sets."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from toile.errors import ToileError
from toile.evaluation.bootstrap import bootstrap_mean, bootstrap_sets
from toile.evaluation.metrics.backbones import Backbones, weights_hash
from toile.evaluation.metrics.frechet import FrechetMetric
from toile.evaluation.metrics.kid import KernelMetric
from toile.evaluation.metrics.registry import METRICS
from toile.evaluation.metrics.spec import SetMetric
from toile.evaluation.protocols.chunks import gathered, read_array, read_items
from toile.evaluation.protocols.instruments import Instruments, describe
from toile.evaluation.protocols.protocol import Protocol, Statistics
from toile.evaluation.protocols.result import EvaluatedItem, EvaluationResult, Summary

FIELDS = tuple(EvaluatedItem.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An evaluation whose pictures have all been measured."""

    protocol: Protocol
    """As it was used."""
    instruments: Instruments
    """What measured."""
    chunks: Sequence[Path]
    """The predictions' chunks, in order."""
    reference: Sequence[Path]
    """The real set's chunks; empty where it is the targets."""
    backbones: Backbones
    """Where weights lie."""
    folder: Path
    """Where features are put together."""


def summed_up(
    measured: Measured,
    *,
    toile: str,
    system: str,
    predictions: str,
    conforming: bool,
    versions: Mapping[str, str],
    notes: Sequence[str],
    settings: Mapping[str, Any],
) -> EvaluationResult:
    """Make the result; the arguments are its fields."""
    protocol, instruments = measured.protocol, measured.instruments
    items = [item for path in measured.chunks for item in read_items(path)]
    values = {name: _column(measured.chunks, name) for name in instruments.per_image}
    statistics = protocol.statistics
    return EvaluationResult(
        toile=toile,
        system=system,
        protocol=asdict(protocol),
        protocol_hash=protocol.hash,
        conforming=conforming,
        task=protocol.task,
        predictions=predictions,
        count=len(items),
        versions=versions,
        weights=_weights(measured),
        metrics={use.name: describe(use, instruments) for use in protocol.metrics},
        items=tuple(_item(item) for item in items),
        values={name: _known(column) for name, column in values.items()},
        sets=_sets(measured),
        summary={name: _summary(column, statistics) for name, column in values.items()},
        notes=tuple(notes),
        settings=dict(settings),
    )


def _item(item: Mapping[str, Any]) -> EvaluatedItem:
    lists = {"labels": tuple(item["labels"]), "inputs": tuple(item["inputs"])}
    return EvaluatedItem(**{name: item[name] for name in FIELDS} | lists)


def _column(paths: Sequence[Path], name: str) -> np.ndarray:
    found = [read_array(path, f"value:{name}") for path in paths]
    return np.concatenate([rows for rows in found if rows is not None])


def _known(column: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in column.tolist())


def _summary(column: np.ndarray, statistics: Statistics) -> Summary:
    """The mean of what was measured; no interval where a value is infinite (PSNR of equal pictures)."""
    known = column[~np.isnan(column)]
    if not len(known) or not np.isfinite(known).all():
        value = float(known.mean()) if len(known) else math.nan
        return Summary(value=value, low=math.nan, high=math.nan)
    interval = bootstrap_mean(
        known, confidence=statistics.confidence, resamples=statistics.resamples, seed=statistics.seed
    )
    return Summary(value=math.fsum(known) / len(known), low=interval.low, high=interval.high)


def _sets(measured: Measured) -> dict[str, Summary]:
    """The figures of whole sets, one network's features after another's."""
    found: dict[str, Summary] = {}
    scales = {use.name: use.scale for use in measured.protocol.metrics}
    for network in measured.instruments.extractors:
        names = [n for n, metric in measured.instruments.of_sets.items() if metric.extractor == network]
        predicted = gathered(measured.chunks, f"predicted:{network}", measured.folder / "predicted.npy")
        real_chunks = measured.reference or measured.chunks
        real = gathered(real_chunks, f"real:{network}", measured.folder / "real.npy")
        if min(len(real), len(predicted)) < 2:
            raise ToileError(f"{', '.join(names)} compare sets; there are {len(predicted)} predictions")
        for name in names:
            metric = measured.instruments.of_sets[name]
            found[name] = _of_sets(metric, real, predicted, scales[name], measured.protocol.statistics)
    return {name: found[name] for name in measured.instruments.of_sets}


def _of_sets(
    metric: SetMetric,
    real: Float32[np.ndarray, "N D"],
    predicted: Float32[np.ndarray, "M D"],
    scale: float,
    statistics: Statistics,
) -> Summary:
    value = metric(real, predicted) * scale
    if not statistics.set_resamples or not isinstance(metric, (FrechetMetric, KernelMetric)):
        return Summary(value=value, low=math.nan, high=math.nan)
    interval = bootstrap_sets(
        metric,
        real,
        predicted,
        confidence=statistics.confidence,
        resamples=statistics.set_resamples,
        seed=statistics.seed,
    )
    return Summary(value=value, low=interval.low * scale, high=interval.high * scale)


def _weights(measured: Measured) -> dict[str, dict[str, str]]:
    """Where each network's weights came from."""
    wanted = sorted({name for use in measured.protocol.metrics for name in METRICS[use.name].backbones})
    found = {}
    for name in wanted:
        source = measured.backbones.source(name)
        if source is not None:
            found[name] = {"source": source, "sha256": weights_hash(source)}
    return found
