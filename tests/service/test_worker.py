import time

import pytest
from PIL import Image
from tests.service.serving import wait_for
from tests.service.stand_in import BREAKING_SEED, UNKNOWN_SEED, StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.errors import ToileError
from toile.service.desk import Desk
from toile.service.limits import Limits
from toile.service.problems import Problem
from toile.service.settings import Settings
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest


def ask(desk: Desk, seed: int = 0, steps: int = 1):
    drawing = Drawing(steps=steps, guidance=1.0)
    request = RestoreRequest(photo=Image.new("RGB", (4, 4)), seed=seed, drawing=drawing)
    return desk.accept(request, desk.enter())


@pytest.fixture
def working():
    """A desk that draws with the stand-in, stopped at the end."""
    desks = []

    def make(stand_in: StandIn, **settings: object) -> Desk:
        desk = Desk(stand_in, Settings(**settings))
        desk.start()
        desks.append(desk)
        wait_for(lambda: desk.worker.ready or desk.error)
        return desk

    yield make
    for desk in desks:
        desk.stop()


def held_back(working, **settings: object):
    """A desk whose model is busy with a first request until it may go on."""
    stand_in = StandIn()
    desk = working(stand_in, **settings)
    stand_in.go.clear()
    first = ask(desk, seed=1000)
    wait_for(lambda: desk.worker.current)
    return stand_in, desk, first


def test_what_waits_while_the_model_is_busy_is_drawn_as_one_batch(working):
    stand_in, desk, first = held_back(working, batch=3)
    tickets = [ask(desk, seed) for seed in range(4)]
    stand_in.go.set()
    assert [ticket.outcome.result(10).settings["seed"] for ticket in [first, *tickets]] == [1000, 0, 1, 2, 3]
    assert stand_in.batches == [[1000], [0, 1, 2], [3]]


def test_a_request_that_cannot_be_done_leaves_the_others_of_its_batch_alone(working):
    stand_in, desk, _ = held_back(working)
    good, bad = ask(desk, 1), ask(desk, UNKNOWN_SEED)
    stand_in.go.set()
    assert good.outcome.result(10).notes == ("a note",)
    error = bad.outcome.exception(10)
    assert isinstance(error, Problem) and error.status_code == 422 and "remains" in error.detail


def test_a_request_that_breaks_takes_none_with_it(working, caplog):
    stand_in, desk, _ = held_back(working)
    good, bad, best = ask(desk, 1), ask(desk, BREAKING_SEED), ask(desk, 2)
    stand_in.go.set()
    assert good.outcome.result(10) and best.outcome.result(10)
    error = bad.outcome.exception(10)
    assert error.status_code == 500 and "stand-in" not in error.detail
    assert "a fault of the stand-in" in caplog.text
    assert desk.worker.healthy


def test_a_model_that_breaks_again_and_again_is_ill(working):
    desk = working(StandIn())
    for _ in range(3):
        assert ask(desk, BREAKING_SEED).outcome.exception(10).status_code == 500
    assert not desk.worker.healthy and not desk.ready


def test_cancelling_all_of_a_batch_stops_it_at_its_next_step(working):
    stand_in = StandIn(seconds=0.02)
    desk = working(stand_in)
    ticket = ask(desk, steps=500)
    wait_for(lambda: ticket.progress > 0)
    ticket.settle(Problem(410, "cancelled"))
    wait_for(lambda: not desk.worker.current, 2)
    assert stand_in.steps < 100


def test_cancelling_one_of_a_batch_lets_the_others_be_drawn(working):
    stand_in, desk, _ = held_back(working)
    gone, kept = ask(desk, 1, steps=3), ask(desk, 2, steps=3)
    stand_in.seconds = 0.1
    stand_in.go.set()
    wait_for(lambda: gone.started)
    gone.settle(Problem(410, "cancelled"))
    assert kept.outcome.result(10) and gone.answer is None


def test_work_that_takes_too_long_is_stopped(working):
    stand_in = StandIn(seconds=0.02)
    desk = working(stand_in, limits=Limits(max_work_seconds=0.1))
    ticket = ask(desk, steps=1000)
    wait_for(lambda: desk.sweep() or ticket.settled, 5)
    assert ticket.problem.status_code == 504
    wait_for(lambda: not desk.worker.current, 2)
    assert stand_in.steps < 100


def test_who_waits_too_long_is_sent_away(working):
    stand_in, desk, first = held_back(working, limits=Limits(max_queue_seconds=0.05))
    ticket = ask(desk, 1)
    time.sleep(0.1)
    desk.sweep()
    assert ticket.problem.status_code == 503 and int(ticket.problem.headers["Retry-After"]) >= 1
    assert len(desk.line) == 0 and not first.settled
    stand_in.go.set()
    first.outcome.result(10)
    assert stand_in.batches == [[1000]]


def test_a_full_queue_says_when_to_come_back(working):
    stand_in, desk, _ = held_back(working, queue=2)
    waiting = [ask(desk, seed) for seed in range(2)]
    desk.worker.pace.measure(1, 7.0)
    with pytest.raises(Problem) as refused:
        ask(desk, 3)
    assert refused.value.status_code == 429
    assert refused.value.headers["Retry-After"] == str(3 * 7)
    assert not desk.ready
    stand_in.go.set()
    assert all(ticket.outcome.result(10) for ticket in waiting)
    assert desk.ready and desk.finished


def test_models_that_cannot_be_loaded_are_told_of(working):
    class Missing(StandIn):
        def load(self, *systems: str) -> None:
            raise ToileError("there is no such model")

    desk = working(Missing())
    assert str(desk.error) == "there is no such model" and not desk.ready
