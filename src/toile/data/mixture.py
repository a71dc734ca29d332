"""Several datasets as one, each with its share."""

from collections.abc import Sequence
from functools import lru_cache
from math import gcd

import numpy as np
from jaxtyping import Int64

from toile.data.fingerprint import digest, fingerprint
from toile.data.pair_sequence import PairSequence
from toile.data.record import GarmentPair
from toile.errors import ToileError

LONGEST_BLOCK = 1000
TOLERANCE = 1e-3
"""A source's share is met up to this, in the shortest block that allows it."""


class MixedPairs(PairSequence):
    """Pairs of several sources in fixed proportions.

    The pairs come in blocks. In each, every source has the same number of places, and which they are is
    drawn from the seed. A source goes through all its pairs in an order of its own before it starts again in
    another. So the pair at an index follows from the seed and the index alone, whatever was asked for before:
    the order survives a resume, and any number of reading or training processes. The mixture is as long as it
    takes for each pair of each source to come at least once.

    Raises:
        ToileError: when the weights do not fit the sources, or one is not positive.
    """

    def __init__(
        self, sources: Sequence[Sequence[GarmentPair]], weights: Sequence[float], seed: int = 0
    ) -> None:
        """Mix `sources` by `weights`, which need not add up to 1."""
        if len(sources) != len(weights) or not sources:
            raise ToileError(
                f"{len(sources)} datasets cannot be mixed by {len(weights)} weights; give one each"
            )
        if not all(np.isfinite(weight) and weight > 0 for weight in weights):
            raise ToileError(f"the weights of a mixture are positive numbers, not {list(weights)}")
        empty = next((number for number, source in enumerate(sources, 1) if not len(source)), None)
        if empty is not None:
            raise ToileError(f"dataset {empty} of the mixture is empty; leave it out")
        self.sources, self.weights, self.seed = list(sources), tuple(weights), seed
        self.counts = block_counts(self.weights)
        blocks = max(-(-len(source) // count) for source, count in zip(sources, self.counts, strict=True))
        self._length = blocks * sum(self.counts)

    def __len__(self) -> int:
        """How many pairs an epoch has."""
        return self._length

    def locate(self, index: int) -> tuple[int, int]:
        """Which source a place takes, and which of its rows: a function of seed and index."""
        block, place = divmod(index, sum(self.counts))
        order = _block(self.seed, block, self.counts)
        source = int(order[place])
        turn = block * self.counts[source] + int((order[:place] == source).sum())
        length = len(self.sources[source])
        round_, step = divmod(turn, length)
        return source, int(_shuffled(self.seed, source, round_, length)[step])

    def pair(self, index: int) -> GarmentPair:
        """The pair at an index."""
        source, row = self.locate(index)
        return self.sources[source][row]

    def fingerprint(self) -> str:
        """What tells this mixture from another: its sources, their weights, and the seed."""
        return digest([*(fingerprint(source) for source in self.sources), self.weights, self.seed])


def block_counts(weights: Sequence[float]) -> tuple[int, ...]:
    """How many places each source has in a block: the shortest that meets the shares within `TOLERANCE`.

    Raises:
        ToileError: when a share is so small that it has no place in `LONGEST_BLOCK`.
    """
    shares = np.array(weights, np.float64) / sum(weights)
    for size in range(len(weights), LONGEST_BLOCK + 1):
        counts = np.round(shares * size).astype(int)
        if counts.sum() == size and counts.min() > 0 and np.abs(counts / size - shares).max() <= TOLERANCE:
            divisor = gcd(*counts.tolist())
            return tuple(int(count) // divisor for count in counts)
    raise ToileError(
        f"the weights {list(weights)} are too far apart; give each dataset at least {1 / LONGEST_BLOCK:.1%}"
    )


@lru_cache(maxsize=64)
def _block(seed: int, block: int, counts: tuple[int, ...]) -> Int64[np.ndarray, " places"]:
    """The source at each place of a block."""
    sources = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng([seed, 0, block]).permutation(sources)


@lru_cache(maxsize=64)
def _shuffled(seed: int, source: int, round_: int, length: int) -> Int64[np.ndarray, " rows"]:
    """A source's rows in the order of its `round_`-th time through."""
    return np.random.default_rng([seed, 1 + source, round_]).permutation(length)
