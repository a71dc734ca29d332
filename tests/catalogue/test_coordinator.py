import numpy as np
import pytest
from tests.catalogue.stand_in import BUGGY, dying, open_photos, stand_in

from toile.catalogue import coordinator
from toile.catalogue.backlog import Backlog
from toile.catalogue.coordinator import AT_HAND, Coordinator
from toile.catalogue.draft import failed_row
from toile.catalogue.engine import Finished, Lost, Ready
from toile.catalogue.item import Item
from toile.catalogue.job import Report
from toile.catalogue.plan import Block, Plan
from toile.catalogue.run import run_catalogue
from toile.catalogue.settings import CatalogueSettings
from toile.errors import ToileError


class Workers:
    """An engine whose workers live in this process, and die when they are told to."""

    def __init__(self, deaths=()) -> None:
        self.given: dict[int, list[Block]] = {}
        self.deaths = set(deaths)
        self.news, self.started, self.most, self.blocks = [], 0, 0, 0

    def start(self, worker):
        self.given[worker] = []
        self.started += 1
        self.news.append(Ready(worker))

    def give(self, worker, block):
        self.given[worker].append(block)
        self.most = max(self.most, len(self.given[worker]))

    def drop(self):
        raise AssertionError

    def kill(self, worker):
        self.news.append(Lost(worker, "killed"))

    def close(self):
        pass

    def events(self, timeout):
        news, self.news = self.news, []
        for worker, blocks in self.given.items():
            if blocks and not any(event.worker == worker for event in news):
                self.blocks += 1
                if self.blocks in self.deaths:
                    news.append(Lost(worker, "by chance"))
                else:
                    done = blocks.pop(0)
                    rows = tuple(failed_row(done, item, "a test") for item in done.items)
                    news.append(Finished(worker, Report(block=done.number, rows=rows, model_seconds=1.0)))
        return news


def led(count: int, workers: int, deaths=()):
    """Numbers that were recorded, and the workers that did them."""
    plan, found = Plan(count, 2), []
    items = [Item(number=number, name=f"{number}", files={}) for number in range(count)]
    fresh = (
        Block(number=block, items=tuple(items[number] for number in numbers))
        for block, numbers in plan.open_blocks(np.zeros(count, np.uint8))
    )
    engine = Workers(deaths)
    leader = Coordinator(engine, Backlog(fresh, plan.blocks), found.extend, workers=workers)
    assert leader.run()
    return [row.number for row in found], engine, leader


@pytest.mark.parametrize("workers", [1, 3])
def test_every_block_is_done_once(workers):
    found, engine, leader = led(25, workers)
    assert sorted(found) == list(range(25))
    assert engine.most <= AT_HAND and engine.started == workers and leader.model_seconds == 13


@pytest.mark.parametrize("deaths", [(1,), (3, 4, 5), range(2, 40, 2)])
def test_every_block_is_done_once_though_workers_die(deaths):
    found, engine, leader = led(25, 2, deaths)
    assert sorted(found) == list(range(25))
    assert engine.started == 2 + leader.deaths and leader.deaths > 0


def test_work_is_shared_from_the_start():
    _, engine, _ = led(4, 2)
    assert engine.most == 1


def test_workers_that_die_before_they_are_ready_stop_the_run(tmp_path):
    settings = CatalogueSettings(drawer=dying, workers=1)
    with pytest.raises(ToileError, match=r"die before they are ready \(ended by SIGKILL\)"):
        run_catalogue("restore", open_photos(tmp_path / "in", 2), tmp_path / "out", settings, progress=False)


def test_a_run_in_which_workers_only_die_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(coordinator, "FRUITLESS", 3)
    items = open_photos(tmp_path / "in", 9, dict.fromkeys(range(9), BUGGY))
    settings = CatalogueSettings(drawer=stand_in(), batch=3)
    with pytest.raises(
        ToileError, match=r"3 workers have died and nothing gets done \(RuntimeError: a bug\)"
    ):
        run_catalogue("restore", items, tmp_path / "out", settings, progress=False)


def test_a_worker_that_is_late_loses_its_block_and_no_other(monkeypatch):
    """The clock stands at the end of the time limit whenever somebody looks at it."""

    class Hanging(Workers):
        def events(self, timeout):
            if self.started == 1 and len(self.given[0]) > 1 and not self.news:
                return []
            return super().events(timeout)

    items = [Item(number=number, name=f"{number}", files={}) for number in range(6)]
    fresh = (Block(number=n, items=tuple(items[2 * n : 2 * n + 2])) for n in range(3))
    backlog, found, engine = Backlog(fresh, 3), [], Hanging()
    leader = Coordinator(engine, backlog, found.extend, workers=1, timeout=0.05)
    monkeypatch.setattr(coordinator, "PATIENCE", 0.01)
    assert leader.run() and leader.deaths == 1
    assert sorted(row.number for row in found) == list(range(6))
    assert {row.block: row.attempts for row in found} == {0: 2, 1: 1, 2: 1}
