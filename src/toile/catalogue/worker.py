"""What a worker does with blocks: pictures are read, drawn and written in three threads in a row.

While the model draws, the next pictures are decoded and the last ones are encoded and written; queues between
the threads hold a few batches each, however long the list is.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from queue import Queue
from threading import Thread

from toile.catalogue.draft import Draft
from toile.catalogue.item import BadItem, Item
from toile.catalogue.job import Report, WorkerSettings
from toile.catalogue.loading import load_request
from toile.catalogue.plan import Block
from toile.catalogue.sinks import Sink, open_sink
from toile.errors import ToileError
from toile.tasks.request import Request
from toile.tasks.result import Result

AHEAD = 2
"""Batches that are decoded ahead of the model, and batches that may wait to be written."""


@dataclass(frozen=True)
class _Batch:
    """Items of one group, decoded; none of them ends the block."""

    draft: Draft
    pairs: Sequence[tuple[Item, Request]]


class Worker:
    """Does blocks, in the order in which they are given.

    Args:
        settings: what to do, and with what.

    Raises:
        ToileError: when the model cannot be loaded, or work at the run's size, or the output be written.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        """Load the model, and start the threads."""
        self.settings = settings
        self.sink: Sink = open_sink(settings.output, settings.sink, items=settings.items)
        self.drawer = settings.make_drawer()
        self._given: Queue[Draft] = Queue()
        self._decoded: Queue[_Batch] = Queue(AHEAD)
        self._finished: Queue[Draft] = Queue(AHEAD)
        self._drafts: list[Draft] = []
        for task in (self._decode, self._draw, self._write):
            Thread(target=task, daemon=True, name=task.__name__).start()

    def submit(self, block: Block) -> Future[Report]:
        """Take a block on.

        Returns:
            What will come of it. It is cancelled by `drop`; an error in it means that this worker is not to
            be trusted any more, and a `ToileError` that no worker would do better.
        """
        draft = Draft(block=block)
        self._drafts = [*(other for other in self._drafts if not other.future.done()), draft]
        self._given.put(draft)
        return draft.future

    def drop(self) -> None:
        """Give back every block that the model has not begun."""
        for draft in self._drafts:
            draft.future.cancel()

    def _decode(self) -> None:
        """The first thread: from blocks to batches."""
        while True:
            draft = self._given.get()
            with _told(draft.future):
                items = draft.block.items
                for start in range(0, len(items), self.settings.batch):
                    for batch in self._batches(draft, items[start : start + self.settings.batch]):
                        self._decoded.put(batch)
            self._decoded.put(_Batch(draft, ()))

    def _batches(self, draft: Draft, items: Sequence[Item | BadItem]) -> Iterator[_Batch]:
        """Decode neighbours and put those together that can be drawn together."""
        pairs = []
        for item in items:
            if draft.future.cancelled():
                return
            try:
                if isinstance(item, BadItem):
                    raise ToileError(item.error)
                request = load_request(item, self.settings.task, self.settings.defaults)
                pairs.append((item, request))
            except Exception as error:  # whatever a picture does to its decoder; the rest goes on
                draft.fail(item, error)
        groups = list(dict.fromkeys(request.group for _, request in pairs))
        pairs.sort(key=lambda pair: groups.index(pair[1].group))
        for _, group in groupby(pairs, key=lambda pair: pair[1].group):
            yield _Batch(draft, list(group))

    def _draw(self) -> None:
        """The second thread: from batches to pictures."""
        while True:
            batch = self._decoded.get()
            draft = batch.draft
            with _told(draft.future):
                if not draft.begin():
                    continue
                if batch.pairs:
                    self._draw_batch(draft, batch.pairs)
                else:
                    self._finished.put(draft)

    def _draw_batch(self, draft: Draft, pairs: Sequence[tuple[Item, Request]]) -> None:
        start = time.perf_counter()
        results = self._results([request for _, request in pairs])
        seconds = time.perf_counter() - start
        draft.model_seconds += seconds
        for (item, request), result in zip(pairs, results, strict=True):
            draft.add(item, request, result, seconds / len(pairs))

    def _results(self, requests: Sequence[Request]) -> list[Result | ToileError]:
        """Draw together, or, where that cannot be done, one by one."""
        try:
            return self.drawer.run(requests)
        except ToileError as error:
            if len(requests) == 1:
                return [error]
        return [self._results([request])[0] for request in requests]

    def _write(self) -> None:
        """The third thread: from pictures to files."""
        while True:
            draft = self._finished.get()
            with _told(draft.future):
                results = draft.results()
                places = self.sink.write(draft.block.number, results) if results else []
                draft.future.set_result(draft.report(places))


@contextmanager
def _told(future: Future[Report]) -> Iterator[None]:
    """Whatever goes wrong is told to whoever waits for the block, and the thread goes on."""
    try:
        yield
    except Exception as error:
        with suppress(InvalidStateError):  # it has been dropped
            future.set_exception(error)
