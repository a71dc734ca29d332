"""Which items a step trains on: a function of (seed, step) alone, so that a resumed run needs no history.

The items form one endless stream: epoch after epoch, each a permutation drawn from (seed, epoch). Step s
takes the `batch_size` items from position s · batch_size on; each process takes its contiguous share of
them.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from toile.errors import ToileError
from toile.training.randomness import derive_seed, seed_everything

Key = tuple[int, int]
"""Index of an item in its dataset, and the seed for whatever is random in reading it."""


@lru_cache(maxsize=4)
def epoch_permutation(seed: int, epoch: int, length: int) -> tuple[int, ...]:
    """The order of one epoch."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "epoch", epoch))
    return tuple(torch.randperm(length, generator=generator).tolist())


def batch_positions(step: int, batch_size: int, rank: int = 0, world: int = 1) -> range:
    """The positions in the stream that one process takes in one step.

    Raises:
        ToileError: when the batch cannot be divided evenly among the processes.
    """
    if batch_size % world:
        raise ToileError(f"batch_size {batch_size} is not a multiple of the number of processes, {world}")
    share = batch_size // world
    start = step * batch_size + rank * share
    return range(start, start + share)


def item_at(seed: int, position: int, length: int) -> int:
    """The item at a position of the stream."""
    epoch, offset = divmod(position, length)
    return epoch_permutation(seed, epoch, length)[offset]


def batch_indices(
    seed: int, step: int, length: int, batch_size: int, rank: int = 0, world: int = 1
) -> list[int]:
    """The items that one process trains on in one step; a batch may be larger than the dataset."""
    return [item_at(seed, position, length) for position in batch_positions(step, batch_size, rank, world)]


class StepSampler(Sampler[list[Key]]):
    """Yields the micro-batches of one process, from step `start` until the end, for a `DataLoader`."""

    def __init__(
        self,
        seed: int,
        length: int,
        batch_size: int,
        accumulation: int,
        start: int,
        steps: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        """Check that the batch divides evenly.

        Raises:
            ToileError: when the dataset is empty, or the batch does not divide among processes and
                micro-batches.
        """
        if length < 1:
            raise ToileError("the dataset is empty; there is nothing to train on")
        if batch_size % (world * accumulation):
            raise ToileError(
                f"batch_size {batch_size} is not a multiple of {world * accumulation}: "
                f"{world} process(es) with {accumulation} micro-batch(es) each"
            )
        self.seed, self.length, self.batch_size, self.accumulation = seed, length, batch_size, accumulation
        self.start, self.steps, self.rank, self.world = start, steps, rank, world

    def __len__(self) -> int:
        """Micro-batches that are left."""
        return max(self.steps - self.start, 0) * self.accumulation

    def __iter__(self) -> Iterator[list[Key]]:
        """The keys of each micro-batch in turn."""
        for step in range(self.start, self.steps):
            positions = batch_positions(step, self.batch_size, self.rank, self.world)
            size = len(positions) // self.accumulation
            for first in range(0, len(positions), size):
                yield [self._key(position) for position in positions[first : first + size]]

    def _key(self, position: int) -> Key:
        return item_at(self.seed, position, self.length), derive_seed(self.seed, "item", position)


class SeededItems(Dataset[dict[str, Tensor]]):
    """A dataset read by `Key`: the global generators are seeded before each item.

    Random augmentation so depends on the item's place in the stream, and not on workers, batches or resumes.
    """

    def __init__(self, dataset: Dataset[dict[str, Tensor]]) -> None:
        """Wrap a map-style dataset."""
        self.dataset = dataset

    def __getitem__(self, key: Key) -> dict[str, Tensor]:
        """The item of a key."""
        index, seed = key
        seed_everything(seed)
        return self.dataset[index]
