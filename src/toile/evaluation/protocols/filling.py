"""Fills the folder of a run with the chunks that it lacks, in this process or in several."""

from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from toile.evaluation.protocols.chunks import Chunk, chunk_path, chunked, is_whole, write_chunk
from toile.evaluation.protocols.instruments import Instruments, make_instruments
from toile.evaluation.protocols.measuring import Plan, measure_predictions, measure_reference


def chunk_paths(plan: Plan, kind: str, count: int) -> list[Path]:
    """Where the chunks of so many pictures lie, in order."""
    return [chunk_path(plan.folder, kind, number) for number in range(len(chunked(range(count))))]


def fill(plan: Plan, instruments: Instruments, workers: int) -> None:
    """Measure every chunk that is not there yet, showing how many pictures are done.

    Args:
        plan: what to measure.
        instruments: what measures in this process.
        workers: processes that share the work; 0 does it here.

    Raises:
        ToileError: when a picture cannot be measured.
    """
    sizes = {
        (kind, number): len(entries)
        for kind, of_kind in (("pictures", plan.predictions), ("reference", plan.reference))
        for number, entries in enumerate(chunked(of_kind))
    }
    left = [job for job, size in sizes.items() if not is_whole(chunk_path(plan.folder, *job), size)]
    done = sum(sizes.values()) - sum(sizes[job] for job in left)
    with tqdm(total=sum(sizes.values()), initial=done, desc="measuring", unit="picture", disable=None) as bar:
        if workers == 0:
            for job in left:
                _measure(plan, instruments, *job)
                bar.update(sizes[job])
            return
        with ProcessPoolExecutor(workers, get_context("spawn"), _start, (plan,)) as pool:
            running = {pool.submit(_work, *job): job for job in left}
            for finished in as_completed(running):
                finished.result()
                bar.update(sizes[running[finished]])


def _measure(plan: Plan, instruments: Instruments, kind: str, number: int) -> None:
    measure = measure_predictions if kind == "pictures" else measure_reference
    chunk: Chunk = measure(plan, instruments, number)
    write_chunk(chunk_path(plan.folder, kind, number), chunk)


_PLANS: list[Plan] = []


def _start(plan: Plan) -> None:
    """Give a new process its plan."""
    torch.set_num_threads(1)
    _PLANS.append(plan)


def _work(kind: str, number: int) -> None:
    _measure(_PLANS[-1], _own_instruments(), kind, number)


@lru_cache(maxsize=1)
def _own_instruments() -> Instruments:
    plan = _PLANS[-1]
    return make_instruments([use.name for use in plan.uses], plan.backbones, plan.device)[0]
