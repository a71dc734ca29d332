"""A catalogue from its list to its manifest; a run that was stopped goes on where it was."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from toile.catalogue.backlog import Backlog
from toile.catalogue.coordinator import AT_HAND, Coordinator
from toile.catalogue.engine import Engine
from toile.catalogue.error_kinds import ErrorKinds
from toile.catalogue.job import WorkerSettings
from toile.catalogue.leftovers import tidy
from toile.catalogue.lists import ItemList
from toile.catalogue.local_engine import LocalEngine, threads_each
from toile.catalogue.manifest import DONE, FAILED, MANIFEST, Manifest, Row, forget, read_rows
from toile.catalogue.plan import Block, Plan
from toile.catalogue.report import take_sample, write_report
from toile.catalogue.run_file import claim, held
from toile.catalogue.settings import CatalogueSettings
from toile.files import check_writable


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What came of a run."""

    items: int
    """Of the whole list."""
    done: int
    """Of which there are pictures, earlier runs included."""
    failed: int
    """Of which there are none."""
    recorded: int
    """What this run has done of it."""
    seconds: float
    """That this run took, from its workers' start to the last row."""
    startup_seconds: float
    """Of these, until its first worker had loaded the model."""
    worker_seconds: float
    """That its workers had something to do, all together."""
    model_seconds: float
    """Of these, what they spent drawing."""
    deaths: int
    """Workers that died."""
    failures: ErrorKinds
    """Why items failed, earlier runs included."""
    report: Path
    """The page that shows it."""

    @property
    def exit_code(self) -> int:
        """0 when all items are done, 1 when some failed, 2 when none could be done."""
        return 0 if not self.failed else 1 if self.done else 2


def run_catalogue(
    task: str,
    items: ItemList,
    output: Path,
    settings: CatalogueSettings | None = None,
    *,
    progress: bool = True,
) -> Summary:
    """Do a task with every item of a list, or with what an earlier run has left of it.

    Each item is recorded once, with its picture or with the reason why there is none. Ctrl-C, a worker's or
    this process's death, a full disk: the same call goes on with what is not recorded.

    Args:
        task: "restore", "takeoff", "tryon", "swap" or "dress".
        items: the list.
        output: the folder, new or of the same run.
        settings: how.
        progress: show a bar on stderr.

    Raises:
        ToileError: when the output belongs to another run or is in use, or no worker can work.
        KeyboardInterrupt: after Ctrl-C; what was being drawn has been finished, unless it came twice.
    """
    settings = settings or CatalogueSettings()
    check_writable(output)
    with held(output):
        path = output / MANIFEST
        claim(
            output,
            {"task": task, "items": len(items), "fingerprint": items.fingerprint} | settings.description(),
            begun=path.exists() and path.stat().st_size > 0,
        )
        if settings.retry_failed and path.exists():
            forget(path, lambda row: row["state"] == "failed")
        with closing(Manifest(path, len(items))) as manifest:
            tidy(output, manifest.knows)
            run = _Run(task, items, output, settings, manifest, progress)
            try:
                finished = run.work()
            finally:
                tidy(output, manifest.knows)
        if not finished:
            raise KeyboardInterrupt(
                f"interrupted with {run.recorded} of {len(items)} items recorded; the same command goes on"
            )
        return run.summary()


class _Run:
    """One run, while its output is held."""

    def __init__(
        self,
        task: str,
        items: ItemList,
        output: Path,
        settings: CatalogueSettings,
        manifest: Manifest,
        progress: bool,
    ) -> None:
        self.task, self.items, self.output = task, items, output
        self.settings, self.manifest = settings, manifest
        self.before, self.failed = self.recorded, manifest.count(FAILED)
        self.bar = tqdm(
            total=len(items),
            initial=self.before,
            unit="item",
            desc=task,
            disable=not progress,
            leave=False,
            smoothing=0.05,
        )
        self.coordinator: Coordinator | None = None
        self.seconds, self.startup = 0.0, 0.0

    @property
    def recorded(self) -> int:
        """How many items have a row."""
        return self.manifest.count(DONE) + self.manifest.count(FAILED)

    def work(self) -> bool:
        """Do what is left; returns whether that was everything."""
        left = len(self.items) - self.before
        start = time.monotonic()
        with self.bar:
            if not left:
                return True
            plan = Plan(len(self.items), self.settings.block_size)
            backlog = Backlog(iter(()), max(plan.blocks, self.manifest.next_block))
            backlog.fresh = self._blocks(plan, backlog)
            workers = min(self.settings.workers, -(-left // plan.size))
            with closing(self._engine(workers)) as engine:
                self.coordinator = Coordinator(
                    engine,
                    backlog,
                    self._record,
                    workers=workers,
                    at_hand=AT_HAND if plan.size <= self.settings.batch else 2,
                    timeout=self.settings.timeout,
                    say=self._say,
                )
                finished = self.coordinator.run()
        self.seconds = time.monotonic() - start
        self.startup = (self.coordinator.first_ready or start) - start
        return finished

    def summary(self) -> Summary:
        """What came of it, with the page written."""
        tally = take_sample(read_rows(self.output / MANIFEST))
        page = write_report(
            self.output,
            tally,
            items=self.items,
            elapsed=None if self.before else self.seconds,
            title=f"{self.task}: {len(self.items)} items",
            settings=self.settings.in_words(self.task),
        )
        leader = self.coordinator
        return Summary(
            items=len(self.items),
            done=self.manifest.count(DONE),
            failed=self.manifest.count(FAILED),
            recorded=self.recorded - self.before,
            seconds=self.seconds,
            startup_seconds=self.startup,
            worker_seconds=leader.worker_seconds if leader else 0.0,
            model_seconds=leader.model_seconds if leader else 0.0,
            deaths=leader.deaths if leader else 0,
            failures=tally.failures,
            report=page,
        )

    def _blocks(self, plan: Plan, backlog: Backlog) -> Iterator[Block]:
        """What is to be done, read from the list as it is asked for."""
        for number, positions in plan.open_blocks(self.manifest.states):
            yield Block(
                number=backlog.new_number() if number is None else number,
                items=tuple(self._read(positions)),
            )

    def _read(self, positions: Sequence[int]) -> Iterator[Any]:
        if positions[-1] - positions[0] == len(positions) - 1:
            yield from self.items.read(positions[0], positions[-1] + 1)
            return
        for position in positions:
            yield from self.items.read(position, position + 1)

    def _engine(self, workers: int) -> Engine:
        own = self.settings
        settings = WorkerSettings(
            task=self.task,
            models=own.models,
            defaults=own.defaults,
            output=self.output,
            sink=own.sink,
            items=len(self.items),
            batch=own.batch,
            drawer=own.drawer,
        )
        if own.engine == "local":
            return LocalEngine(settings, threads=own.threads or threads_each(workers))
        from toile.catalogue.ray_engine import RayEngine

        return RayEngine(settings, workers=workers, address=own.address, threads=own.threads)

    def _record(self, rows: Sequence[Row]) -> None:
        self.manifest.record(rows)
        self.failed += sum(row.state == "failed" for row in rows)
        self.bar.set_postfix(failed=self.failed, refresh=False)
        self.bar.update(len(rows))

    def _say(self, note: str) -> None:
        self.bar.write(f"note: {note}", file=sys.stderr)
