import pickle
from collections import Counter

import pytest

from toile.data.doll_pairs import DollPairs
from toile.data.mixture import MixedPairs, block_counts
from toile.errors import ToileError

SIZE = (64, 48)


def mixture(seed: int = 0, weights: tuple[float, ...] = (3, 1)) -> MixedPairs:
    return MixedPairs([DollPairs(0, 10, size=SIZE), DollPairs(100, 4, size=SIZE)], weights, seed)


def test_a_place_follows_from_seed_and_index_alone() -> None:
    forwards = [mixture().locate(index) for index in range(len(mixture()))]
    fresh = pickle.loads(pickle.dumps(mixture()))
    assert [fresh.locate(index) for index in reversed(range(len(fresh)))] == forwards[::-1]
    other = mixture(seed=1)
    assert [other.locate(index) for index in range(len(other))] != forwards


def test_shares_hold_in_each_block_and_every_pair_comes() -> None:
    pairs = mixture()
    found = [pairs.locate(index) for index in range(len(pairs))]
    assert len(pairs) == 16
    assert all([source for source, _ in found[start : start + 4]].count(1) == 1 for start in range(0, 16, 4))
    assert set(found) == {(0, row) for row in range(10)} | {(1, row) for row in range(4)}


def test_a_source_is_gone_through_before_it_starts_again() -> None:
    pairs = mixture(weights=(1, 3))
    rows = [row for source, row in map(pairs.locate, range(len(pairs))) if source == 1]
    assert len(rows) == 30
    rounds = [rows[start : start + 4] for start in range(0, 28, 4)]
    assert all(sorted(round_) == [0, 1, 2, 3] for round_ in rounds)
    assert len({tuple(round_) for round_ in rounds}) > 1


def test_the_pairs_are_those_of_the_sources() -> None:
    pairs = mixture()
    for index in (0, 5, -1):
        source, row = pairs.locate(index % len(pairs))
        assert pairs[index].identifier == f"{100 * source + row:08d}"


@pytest.mark.parametrize(
    ("weights", "counts"), [((1, 1), (1, 1)), ((0.7, 0.3), (7, 3)), ((10, 30, 60), (1, 3, 6)), ((5,), (1,))]
)
def test_the_shortest_block(weights: tuple[float, ...], counts: tuple[int, ...]) -> None:
    assert block_counts(weights) == counts


def test_odd_shares_are_met_closely() -> None:
    weights = (2**0.5, 1, 3**0.5 / 10)
    counts = block_counts(weights)
    for count, weight in zip(counts, weights, strict=True):
        assert abs(count / sum(counts) - weight / sum(weights)) <= 1e-3


def test_sources_are_told_apart() -> None:
    prints = {mixture().fingerprint(), mixture(seed=1).fingerprint(), mixture(weights=(2, 1)).fingerprint()}
    assert len(prints) == 3
    assert Counter([mixture().fingerprint(), mixture().fingerprint()]).most_common()[0][1] == 2


@pytest.mark.parametrize("weights", [(1,), (1, 0), (1, -1), (1, float("nan")), (1, 1e9)])
def test_bad_weights(weights: tuple[float, ...]) -> None:
    with pytest.raises(ToileError, match="weights"):
        mixture(weights=weights)
