"""Examines a whole dataset in one pass: each pair once, in any number of processes, then the whole set."""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import cv2
from tqdm import tqdm

from toile.data.doctor.census import Census
from toile.data.doctor.findings import Finding
from toile.data.doctor.inventory import Inventory, Item, take_inventory
from toile.data.doctor.item import Context, Examined, examine
from toile.data.doctor.layout import PAIR_LIST, SHARDS, Layout, Recognition, recognise
from toile.data.doctor.lists import Listed, read_lists
from toile.data.doctor.row_lists import row_inventory
from toile.data.doctor.shards import shard_inventory
from toile.data.doctor.verdict import Report, Tally
from toile.errors import ToileError

BATCH = 16
"""How many pairs a process is given at once."""
LISTS_AND_SHARDS = (".tar", ".csv", ".jsonl")
"""The endings of files that are datasets by themselves."""
WORTH_IT = 64
"""Fewer pairs are examined without further processes, which take longer to start."""


def check_dataset(path: Path, *, workers: int = 1, progress: bool = False) -> Report:
    """Examine a dataset: every file of it, and all of them together.

    Nothing is changed. Pictures are read once, one pair at a time in each process; only names, findings and
    about half a kilobyte for each photo and garment stay in memory.

    Args:
        path: a folder in a known layout, a shard, or a list of pairs with named columns (.csv, .jsonl).
        workers: how many processes examine.
        progress: whether to show a bar on stderr.

    Raises:
        ToileError: when there is no such folder, it cannot be listed, or a process dies.
    """
    start = time.perf_counter()
    if workers < 1:
        raise ToileError(f"workers are at least 1, not {workers}")
    path = Path(path)
    if not path.exists():
        raise ToileError(f"{path} does not exist; give the folder of a dataset")
    if path.is_file() and path.suffix.lower() not in LISTS_AND_SHARDS:
        raise ToileError(f"{path} is no dataset; give a folder, a shard (.tar) or a list (.csv, .jsonl)")
    try:
        recognition = recognise(path)
        return _check(path, recognition, workers, progress, start)
    except OSError as error:
        raise ToileError(f"{path} cannot be examined ({error}); see to its permissions") from error
    except BrokenProcessPool as error:
        raise ToileError("a process ended (out of memory?); run it again with fewer workers") from error


def _check(path: Path, recognition: Recognition, workers: int, progress: bool, start: float) -> Report:
    layout, tally, census = recognition.layout, Tally(), Census()
    root, inventory, listed = _survey(path, layout)
    tally.add(_layout_findings(path, recognition))
    tally.add(inventory.findings)
    tally.add(listed.findings)
    context = Context(root=root, label_set=layout.label_set, pose_size=layout.pose_size)
    with tqdm(total=len(inventory.items), unit="pair", desc=layout.name, disable=not progress) as bar:
        for examined in _examined(inventory.items, context, workers):
            tally.add(examined.findings)
            for facts in examined.pictures:
                census.add(facts)
            bar.update()
    tally.add(census.findings(_splits(layout, listed)))
    return Report(
        path=path,
        layout=layout.name,
        recognised=recognition.certain,
        pairs=len(inventory.items),
        counts=dict(inventory.counts),
        groups=tally.groups(),
        excluded=sorted(tally.excluded),
        seconds=time.perf_counter() - start,
    )


def _survey(path: Path, layout: Layout) -> tuple[Path, Inventory, Listed]:
    """The folder that files are named in, what it holds, and what its lists say."""
    root = (path.parent if path.is_file() else path).resolve()
    if layout is SHARDS:
        shards = [path.resolve()] if path.is_file() else sorted(root.glob("*.tar"))
        return root, shard_inventory(root, shards), Listed()
    if layout is PAIR_LIST:
        listed = Listed()
        return root, row_inventory(path.resolve(), listed.splits), listed
    inventory = take_inventory(root, layout)
    return root, inventory, read_lists(root, layout, inventory)


def _layout_findings(path: Path, recognition: Recognition) -> Iterator[Finding]:
    if not recognition.certain:
        missing = ", ".join(recognition.missing) or "nothing but files"
        said = f"nearest is {recognition.layout.name}, which lacks {missing}"
        yield Finding(code="layout-unknown", file=path.name, detail="; ".join((said, *recognition.hints)))


def _splits(layout: Layout, listed: Listed) -> Callable[[str], frozenset[str]]:
    """Says which splits a picture is in: by its folder where each split has one, else by the lists."""
    if layout is SHARDS:
        return lambda name: frozenset(split for split in ("train", "test") if name.startswith(f"{split}-"))
    if not layout.splits:
        return listed.splits_of
    known = {group: frozenset({split}) for group, split in layout.splits.items()}
    return lambda name: known[name.split("/", 1)[0]]


def _examined(items: Sequence[Item], context: Context, workers: int) -> Iterator[Examined]:
    """Examine every item, here or in processes; what comes out is in the items' order."""
    if workers == 1 or len(items) < WORTH_IT:
        yield from (examine(item, context) for item in items)
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_process)
    waiting: deque[Future[list[Examined]]] = deque()
    try:
        for start in range(0, len(items), BATCH):
            waiting.append(pool.submit(_examine_batch, items[start : start + BATCH], context))
            if len(waiting) > 4 * workers:  # more would pile up in memory
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _examine_batch(items: Sequence[Item], context: Context) -> list[Examined]:
    return [examine(item, context) for item in items]


def _start_process() -> None:
    """Ctrl-C is for the main process; and each process keeps to one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
