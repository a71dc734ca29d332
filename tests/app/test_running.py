"""Work that waits for its turn, tells how far it is, and stops when it is told to, with a real model."""

import threading
import time

import pytest
from PIL import Image
from tests.app.conftest import CountedAtelier

from toile.app.running import UNEXPECTED, Turns, Work, WorkInProgress
from toile.errors import ToileError
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest


@pytest.fixture(scope="module")
def steps() -> list[int]:
    return []


@pytest.fixture(scope="module")
def atelier(steps, igr_folder):
    made = CountedAtelier(steps, igr=str(igr_folder))
    made.load("igr")
    return made


def request_of(seed: int = 0, steps: int = 2, **settings) -> RestoreRequest:
    photo = Image.new("RGB", (32, 64), "white")
    drawing = Drawing(steps=steps, guidance=1.0)
    return RestoreRequest(photo=photo, mask=None, seed=seed, drawing=drawing, **settings)


def test_it_tells_how_far_it_is_and_what_came_of_it(atelier):
    work = Work(atelier, [request_of(1, steps=15), request_of(2, steps=15)], Turns(1))
    moments = list(work.follow(every=0.01))
    done = [moment.done for moment in moments]
    assert done == sorted(done) and moments[-1].total == 30
    assert next(moment.preview.size for moment in moments if moment.preview is not None) == (32, 64)
    assert [result.metadata["seed"] for result in work.results] == [1, 2]
    assert (work.error, work.stopped) == (None, False)


def test_the_model_makes_no_further_step_once_it_is_stopped(atelier, steps):
    work = Work(atelier, [request_of(1), request_of(2, steps=500), request_of(3)], Turns(1))
    before, made = len(steps), 0
    for moment in work.follow(every=0.01):
        if moment.done >= 4 and not work.stopped:
            work.stop()
            made = len(steps)
    assert len(steps) - made <= 1  # the one that was being made
    time.sleep(0.3)
    assert len(steps) - made <= 1 and len(steps) - before < 100
    assert len(work.results) == 1  # what was finished is kept
    assert work.error is None


def test_whoever_listens_no_longer_stops_it(atelier, steps):
    turns = Turns(0)
    following = Work(atelier, [request_of(steps=500)], turns).follow(every=0.01)
    while next(following).done < 1:
        pass
    following.close()
    made = len(steps)
    time.sleep(0.3)
    assert (len(steps), len(turns)) == (made, 0)


def test_they_are_served_one_after_another(atelier):
    turns, order = Turns(2), list[int]()

    def visit(seed: int) -> None:
        for moment in works[seed].follow(every=0.01):
            if not moment.ahead and seed not in order:
                order.append(seed)

    works = {seed: Work(atelier, [request_of(seed)], turns) for seed in range(3)}
    threads = [threading.Thread(target=visit, args=(seed,)) for seed in works]
    for number, thread in enumerate(threads, start=1):
        thread.start()
        while len(turns) + len(order) < number:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2]
    assert all(len(work.results) == 1 for work in works.values())


def test_who_waits_can_stop_waiting(atelier, steps):
    turns = Turns(1)
    turns.join("somebody")
    work, before = Work(atelier, [request_of()], turns), len(steps)
    for moment in work.follow(every=0.01):
        assert moment.ahead == 1
        work.stop()
    assert (len(steps), work.results, len(turns)) == (before, [], 1)


def test_a_line_that_is_too_long_says_so(atelier):
    turns = Turns(0)
    turns.join("somebody")
    with pytest.raises(ToileError, match="try again in a minute"):
        next(Work(atelier, [request_of()], turns).follow())
    turns.leave("somebody")
    turns.leave("somebody")
    assert len(turns) == 0


def test_what_cannot_be_done_is_said_in_one_line(atelier):
    work = Work(atelier, [request_of(category="sock")], Turns(0))
    list(work.follow(every=0.01))
    assert work.results == [] and "'sock' is unknown" in str(work.error)


def test_a_defect_of_ours_shows_no_traceback_to_visitors(atelier, capfd):
    work = Work(atelier, [request_of()], Turns(0))
    work.requests = [object()]  # no request at all
    list(work.follow(every=0.01))
    assert work.error == UNEXPECTED
    assert "Traceback" in capfd.readouterr().err


def test_a_visitor_stops_his_own_work_alone(atelier):
    doing = WorkInProgress()
    mine, yours, again = (Work(atelier, [request_of()], Turns(0)) for _ in range(3))
    doing.start("me", mine)
    doing.start("you", yours)
    doing.stop("me")
    doing.stop("nobody")
    assert (mine.stopped, yours.stopped) == (True, False)
    doing.start("you", again)
    assert yours.stopped
    doing.end("you", yours)  # that one was forgotten before
    doing.stop_all()
    assert again.stopped
