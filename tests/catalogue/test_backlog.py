from pathlib import Path

import pytest

from toile.catalogue.backlog import Backlog
from toile.catalogue.item import Item
from toile.catalogue.plan import Block


def block(number: int, *items: int) -> Block:
    return Block(
        number=number, items=tuple(Item(number=i, name=f"n{i}", files={"photo": Path("p")}) for i in items)
    )


@pytest.fixture
def backlog() -> Backlog:
    return Backlog(iter([block(0, 0, 1), block(1, 2, 3), block(2, 4, 5)]), 3)


def numbers(share) -> list[int]:
    return [item.number for item in share.block.items]


def test_blocks_come_in_order_and_end(backlog):
    assert [numbers(backlog.take(idle=True)) for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]
    assert backlog.take(idle=True) is None and backlog.is_empty()


def test_looking_whether_it_is_empty_takes_nothing(backlog):
    assert not backlog.is_empty() and not backlog.is_empty()
    assert numbers(backlog.take(idle=False)) == [0, 1]


def test_all_that_a_dead_worker_had_is_drawn_again_each_by_itself(backlog):
    had = [backlog.take(idle=False) for _ in range(2)]
    assert backlog.take_back(had, "killed") == []
    assert backlog.take(idle=False) is None  # a busy worker has to become idle first
    again = [backlog.take(idle=True) for _ in range(2)]
    assert [(numbers(share), share.alone, share.block.attempt) for share in again] == [
        ([0, 1], True, 2),
        ([2, 3], True, 2),
    ]
    assert not backlog.take(idle=True).alone


def test_a_block_on_which_two_die_is_split_and_so_is_its_item_given_up(backlog):
    share = backlog.take(idle=True)
    assert backlog.take_back([share], "killed") == []  # it may have been chance
    for _ in range(2):
        assert backlog.take_back([backlog.take(idle=True)], "killed") == []
    singles = [backlog.take(idle=True) for _ in range(2)]
    assert [(single.block.number, numbers(single)) for single in singles] == [(3, [0]), (4, [1])]
    assert backlog.take_back([singles[0]], "killed") == []
    (row,) = backlog.take_back([backlog.take(idle=True)], "ended by SIGKILL")
    assert (row.number, row.state, row.block, row.items, row.attempts) == (0, "failed", 3, 1, 5)
    assert row.error == "the worker died on it twice (ended by SIGKILL)"
    assert numbers(backlog.take(idle=True)) == [2, 3]


def test_where_the_culprit_is_known_the_others_are_not_suspected(backlog):
    had = [backlog.take(idle=False) for _ in range(3)]
    assert backlog.take_back(had, "a bug", culprit=1) == []
    suspect = backlog.take(idle=True)
    assert numbers(suspect) == [2, 3] and suspect.alone and suspect.deaths == 1
    assert [numbers(backlog.take(idle=False)) for _ in range(2)] == [[0, 1], [4, 5]]


def test_what_was_dropped_comes_next(backlog):
    share = backlog.take(idle=True)
    backlog.give_back(share)
    assert backlog.take(idle=True) is share
