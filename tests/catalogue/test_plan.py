import numpy as np
import pytest

from toile.catalogue.manifest import DONE, FAILED
from toile.catalogue.plan import Plan


def test_a_list_is_cut_into_neighbours():
    plan = Plan(10, 4)
    found = [(number, list(items)) for number, items in plan.open_blocks(np.zeros(10, np.uint8))]
    assert found == [(0, [0, 1, 2, 3]), (1, [4, 5, 6, 7]), (2, [8, 9])] and plan.blocks == 3


def test_what_is_left_of_other_blocks_is_put_together():
    states = np.zeros(12, np.uint8)
    states[[0, 1, 2]], states[5], states[[10, 11]] = DONE, FAILED, DONE
    found = [(number, list(items)) for number, items in Plan(12, 3).open_blocks(states)]
    assert found == [(2, [6, 7, 8]), (None, [3, 4, 9])]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_every_open_item_is_in_one_block(size):
    states = np.random.default_rng(0).integers(0, 3, 57).astype(np.uint8)
    found = [number for _, items in Plan(57, size).open_blocks(states) for number in items]
    assert sorted(found) == np.flatnonzero(states == 0).tolist()


def test_what_is_recorded_meanwhile_changes_no_block():
    states = np.zeros(9, np.uint8)
    found = []
    for number, items in Plan(9, 3).open_blocks(states):
        states[list(items)] = DONE
        found.append((number, list(items)))
    assert found == [(0, [0, 1, 2]), (1, [3, 4, 5]), (2, [6, 7, 8])]


def test_nothing_is_open_when_all_is_done():
    assert list(Plan(5, 2).open_blocks(np.full(5, DONE, np.uint8))) == []
