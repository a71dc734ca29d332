"""Measure every pair of a dataset and decide which to keep; a run that is stopped goes on where it was."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tqdm import tqdm

from toile.data.curation_file import CuratedRow, Curation, CurationSettings, write_curation
from toile.data.curation_rules import BROKEN, UNREADABLE, best_share, judge
from toile.data.hardness_measures import REASONS, Measures, measure
from toile.data.json_lines import GrowingLines, read_lines
from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.data.review_decisions import check_names
from toile.errors import ToileError

MEASURES_SUFFIX = ".measures.jsonl"
FORMAT = 1
"""Raise it when a score changes its meaning: pairs measured before are then measured anew."""


def curate(settings: CurationSettings, path: Path, *, workers: int = 1, progress: bool = True) -> Curation:
    """Measure the pairs of a dataset, decide, and write the curation.

    Measures go into a file beside `path` as they are made; a run that was stopped, or one with other
    thresholds or another share, takes them from there.

    Args:
        settings: the dataset, the thresholds and the share.
        path: the .jsonl file to write, whole or not at all.
        workers: processes that measure.
        progress: whether to show a bar on stderr.

    Returns:
        What was written.

    Raises:
        ToileError: when the dataset cannot be opened, two of its pairs have one name, or a file cannot be
            written. A pair with a broken picture is dropped instead, with the reason `unreadable`.
    """
    if path.suffix != ".jsonl":
        raise ToileError(f"output {path} ends in {path.suffix or 'nothing'}; a curation is a .jsonl file")
    best_share([], settings.share)
    pairs = open_pairs(settings.source, split=settings.split)
    lines = measure_all(pairs, settings, measures_path(path), workers=workers, progress=progress)
    rows = decide(lines, settings)
    check_names(rows)
    curation = Curation(settings=settings, rows=rows)
    write_curation(curation, path)
    return curation


def measures_path(curation: Path) -> Path:
    """Where a curation's measures are kept: beside it."""
    return curation.with_name(curation.name.removesuffix(".jsonl") + MEASURES_SUFFIX)


def measure_all(
    pairs: Sequence[GarmentPair],
    settings: CurationSettings,
    path: Path,
    *,
    workers: int = 1,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """What was measured of each pair, in order, as lines of `path`; only what is missing is measured now.

    Raises:
        ToileError: when the file belongs to another dataset or cannot be written.
    """
    head = {"source": settings.source, "split": settings.split, "count": len(pairs), "format": FORMAT}
    lines = _taken_up(path, head)
    missing = range(len(lines), len(pairs))
    with (
        GrowingLines(path) as log,
        tqdm(
            total=len(pairs),
            initial=len(lines),
            unit="pair",
            desc="measuring",
            disable=not progress,
            leave=False,
        ) as bar,
    ):
        if not lines and not path.stat().st_size:
            log.append(head)
        for line in _measured(pairs, settings, missing, workers):
            log.append(line, sync=False)
            lines.append(line)
            bar.update()
    return lines


def _taken_up(path: Path, head: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of an earlier run on the same dataset."""
    found = read_lines(path) if path.exists() else []
    if not found:
        return []
    if found[0] != head:
        raise ToileError(
            f"{path} was measured on {found[0].get('source')!r} with {found[0].get('count')} pairs, "
            f"and this is {head['source']!r} with {head['count']}; remove it, or choose another output"
        )
    return found[1:]


def _measured(
    pairs: Sequence[GarmentPair], settings: CurationSettings, missing: range, workers: int
) -> Iterator[dict[str, Any]]:
    if workers == 1:
        yield from (_measure_one(pairs, index) for index in missing)
        return
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), _open_in_worker, (settings.source, settings.split)
    )
    try:
        yield from pool.map(_measure_in_worker, missing, chunksize=16)
    finally:
        pool.shutdown(cancel_futures=True)


_worker: dict[str, Sequence[GarmentPair]] = {}
"""The dataset of a measuring process."""


def _open_in_worker(source: str, split: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to answer
    _worker["pairs"] = open_pairs(source, split=split)


def _measure_in_worker(index: int) -> dict[str, Any]:
    return _measure_one(_worker["pairs"], index)


def _measure_one(pairs: Sequence[GarmentPair], index: int) -> dict[str, Any]:
    """A line of the measures' file."""
    pair = pairs[index]
    line: dict[str, Any] = {"index": index, "identifier": pair.identifier, "category": pair.category}
    try:
        return line | _as_json(measure(pair))
    except ToileError as error:
        return line | {"error": " ".join(str(error).split())}


def _as_json(measures: Measures) -> dict[str, Any]:
    return asdict(measures) | {"scores": {name: round(x, 4) for name, x in measures.scores.items()}}


def decide(lines: Sequence[dict[str, Any]], settings: CurationSettings) -> list[CuratedRow]:
    """The rows of a curation, from what was measured."""
    verdicts = [BROKEN if "error" in line else judge(_measures(line), settings.thresholds) for line in lines]
    kept = best_share(verdicts, settings.share)
    return [
        CuratedRow(
            index=line["index"],
            identifier=line["identifier"],
            category=line["category"],
            scores={name: line.get("scores", {}).get(name) for name in REASONS},
            unknown={UNREADABLE: line["error"]} if "error" in line else line["unknown"],
            reasons=verdict.reasons,
            hard_case=verdict.hard_case,
            quality=verdict.quality,
            keep=keep,
        )
        for line, verdict, keep in zip(lines, verdicts, kept, strict=True)
    ]


def _measures(line: dict[str, Any]) -> Measures:
    return Measures(scores=line["scores"], unknown=line["unknown"], hidden_detail=line["hidden_detail"])
