import time
from threading import Thread

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.line import Line
from toile.service.problems import Problem
from toile.service.ticket import Ticket
from toile.tasks.drawing import Drawing
from toile.tasks.models import Models
from toile.tasks.restore import RestoreRequest


def ticket(steps: int = 1) -> Ticket:
    drawing = Drawing(steps=steps, guidance=1.0)
    return Ticket(RestoreRequest(photo=Image.new("RGB", (4, 4)), drawing=drawing), Models())


def wait_in(line: Line, *tickets: Ticket) -> None:
    for one in tickets:
        place = line.enter()
        assert place is not None
        line.put(one, place)


def test_those_of_one_group_leave_together_and_the_others_keep_their_order():
    line, few, many = Line(8), [ticket(1) for _ in range(3)], [ticket(2) for _ in range(2)]
    wait_in(line, few[0], many[0], few[1], many[1], few[2])
    assert line.take(2, 0.0) == few[:2]
    assert line.take(4, 0.0) == many
    assert line.take(4, 0.0) == few[2:]
    assert len(line) == 0


def test_a_full_line_lets_nobody_in_until_one_has_left():
    line, first = Line(1), ticket()
    wait_in(line, first)
    assert line.full and line.enter() is None
    first.settle(Problem(410, "cancelled"))
    assert line.enter() is not None


def test_a_place_counts_once_however_often_it_is_given_back():
    line = Line(2)
    place, other = line.enter(), line.enter()
    place.leave()
    place.leave()
    assert len(line) == 1
    other.leave()
    assert len(line) == 0


def test_a_ticket_that_comes_alone_is_not_kept_waiting():
    line = Line(4)
    wait_in(line, ticket())
    began = time.monotonic()
    assert len(line.take(4, 5.0)) == 1
    assert time.monotonic() - began < 1


def test_one_that_is_on_its_way_in_is_waited_for():
    line, first, second = Line(4), ticket(), ticket()
    wait_in(line, first)
    place = line.enter()
    arrival = Thread(target=lambda: (time.sleep(0.05), line.put(second, place)))
    arrival.start()
    assert line.take(4, 5.0) == [first, second]
    arrival.join()


def test_one_that_does_not_arrive_is_not_waited_for_longer_than_said():
    line, first = Line(4), ticket()
    wait_in(line, first)
    assert line.enter() is not None
    assert line.take(4, 0.05) == [first]


def test_a_closed_line_gives_nobody():
    line = Line(4)
    waiting = Thread(target=lambda: taken.append(line.take(1, 0.0)))
    taken: list[list[Ticket]] = []
    waiting.start()
    line.close()
    waiting.join(5)
    assert taken == [[]]


def test_a_ticket_is_settled_once_and_lets_go_of_its_pictures():
    one = ticket()
    assert one.state == "queued" and one.request is not None
    one.start()
    assert one.state == "running"
    assert one.settle(Problem(504, "too long")) and not one.settle(Problem(500, "broken"))
    assert one.state == "failed" and one.problem.status_code == 504 and one.request is None
