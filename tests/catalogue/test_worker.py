import json
from concurrent.futures import Future
from dataclasses import replace

import pytest
from PIL import Image
from tests.catalogue.stand_in import BUGGY, HANGING, REFUSED, StandIn, missing_model, open_photos, stand_in

from toile.catalogue.item import BadItem
from toile.catalogue.job import WorkerSettings
from toile.catalogue.plan import Block
from toile.catalogue.worker import Worker
from toile.errors import ToileError
from toile.tasks.models import Models


def settings(output, **more) -> WorkerSettings:
    more = {"drawer": stand_in(), "batch": 2, "items": 100} | more
    return WorkerSettings(task="restore", output=output, **more)


def block(items, number: int, start: int, stop: int) -> Block:
    return Block(number=number, items=tuple(items.read(start, stop)))


def test_a_block_becomes_pictures_and_rows(tmp_path):
    items = open_photos(tmp_path / "in", 5, {1: "missing", 3: REFUSED})
    read = (*items.read(0, 4), BadItem(number=4, name="item-4", error="line 6 says nothing"))
    worker = Worker(settings(tmp_path / "out", defaults={"category": "lower", "steps": 3}))
    report = worker.submit(Block(number=7, items=read, attempt=2)).result(60)
    assert [(row.number, row.state, row.block, row.items, row.attempts) for row in report.rows] == [
        (number, "done" if number in (0, 2) else "failed", 7, 5, 2) for number in range(5)
    ]
    first = report.rows[0]
    assert first.seed == 0 and first.settings["category"] == "lower" and first.settings["steps"] == 3
    with Image.open(tmp_path / "out" / first.output) as picture:
        assert picture.getpixel((5, 5)) == (245, 245, 245)
        assert json.loads(picture.text["toile"])["steps"] == 3
    errors = [row.error for row in report.rows if row.error]
    assert "00001: the photo does not exist" in errors[0]
    assert errors[1:] == ["nothing can be drawn of it; give another photo", "line 6 says nothing"]


class Counting(StandIn):
    """Says which requests came together."""

    together: list[list[int]]

    def run(self, requests):
        self.together.append([request.seed for request in requests])
        return super().run(requests)


def counting(settings: WorkerSettings) -> Counting:
    drawer = Counting()
    drawer.together = []
    return drawer


def test_neighbours_of_one_group_are_drawn_together(tmp_path):
    items = open_photos(tmp_path / "in", 8)
    read = list(items.read(0, 8))
    for number in (1, 4):
        read[number] = replace(read[number], settings=dict(read[number].settings) | {"steps": 9})
    worker = Worker(settings(tmp_path / "out", drawer=counting, batch=3))
    report = worker.submit(Block(number=0, items=tuple(read))).result(60)
    assert worker.drawer.together == [[0, 2], [1], [3, 5], [4], [6, 7]]
    assert [row.number for row in report.rows] == list(range(8))
    assert [row.settings.get("steps") for row in report.rows] == [None, 9, None, None, 9, None, None, None]


class TogetherRefused(Counting):
    """Draws single requests alone."""

    def run(self, requests):
        if len(requests) > 1:
            raise ToileError("there is not enough memory for 2 photos at once")
        return super().run(requests)


def together_refused(settings: WorkerSettings) -> TogetherRefused:
    drawer = TogetherRefused()
    drawer.together = []
    return drawer


def test_what_cannot_be_drawn_together_is_drawn_one_by_one(tmp_path):
    items = open_photos(tmp_path / "in", 2)
    worker = Worker(settings(tmp_path / "out", drawer=together_refused))
    assert [row.state for row in worker.submit(block(items, 0, 0, 2)).result(60).rows] == ["done", "done"]
    assert worker.drawer.together == [[0], [1]]


def test_a_bug_is_told_and_the_worker_goes_on(tmp_path):
    items = open_photos(tmp_path / "in", 4, {1: BUGGY})
    worker = Worker(settings(tmp_path / "out"))
    futures = [worker.submit(block(items, number, 2 * number, 2 * number + 2)) for number in range(2)]
    with pytest.raises(RuntimeError, match="a bug"):
        futures[0].result(60)
    assert [row.state for row in futures[1].result(60).rows] == ["done", "done"]


def test_an_output_that_cannot_be_written_is_told(tmp_path):
    items = open_photos(tmp_path / "in", 2)
    worker = Worker(settings(tmp_path / "out"))
    (tmp_path / "out" / "pictures").write_text("in the way")
    with pytest.raises(ToileError, match="cannot be written"):
        worker.submit(block(items, 0, 0, 2)).result(60)


def test_blocks_that_are_not_begun_can_be_dropped(tmp_path):
    items = open_photos(tmp_path / "in", 12)
    worker = Worker(settings(tmp_path / "out", drawer=stand_in(0.5)))
    futures: list[Future] = [worker.submit(block(items, n, 2 * n, 2 * n + 2)) for n in range(6)]
    while not futures[0].running():
        pass
    worker.drop()
    assert [row.state for row in futures[0].result(60).rows] == ["done", "done"]
    assert all(future.cancelled() for future in futures[1:])
    assert [row.number for row in worker.submit(block(items, 5, 10, 12)).result(60).rows] == [10, 11]


def test_a_block_without_anything_to_draw_is_reported(tmp_path):
    items = open_photos(tmp_path / "in", 2, {0: "missing", 1: "missing"})
    report = Worker(settings(tmp_path / "out")).submit(block(items, 0, 0, 2)).result(60)
    assert [row.state for row in report.rows] == ["failed", "failed"] and report.model_seconds == 0


def test_pictures_are_read_and_written_while_others_are_drawn(tmp_path):
    items = open_photos(tmp_path / "in", 6, {0: HANGING})
    worker = Worker(settings(tmp_path / "out", batch=1))
    hanging = worker.submit(block(items, 0, 0, 1))
    while not hanging.running():
        pass
    later = [worker.submit(block(items, n, n, n + 1)) for n in range(1, 6)]
    while worker._decoded.qsize() < 2:  # are decoded already, and no more of them than that
        pass
    assert worker._decoded.maxsize == 2 and not any(future.done() for future in later)


def test_the_models_that_a_run_needs_are_loaded_ahead(tmp_path):
    made = settings(tmp_path)
    assert made.systems == ("igr",)
    assert replace(made, task="swap").systems == ("twgtm",)
    assert replace(made, task="swap", defaults={"through": "igr"}).systems == ("twgtm", "igr")


def test_a_model_that_is_not_there_is_told_before_anything_is_done(tmp_path):
    with pytest.raises(ToileError, match="the model is not there"):
        Worker(settings(tmp_path, drawer=missing_model))


def test_a_size_that_the_model_cannot_work_at_is_told_before_anything_is_done(igr_folder, tmp_path):
    models = Models(igr=str(igr_folder), device="cpu")
    with pytest.raises(ToileError, match=r"size 100×100: .* multiples of"):
        Worker(settings(tmp_path, drawer=None, models=models, defaults={"size": (100, 100)}))
