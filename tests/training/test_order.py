from itertools import chain

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.training.small_task import Numbers
from torch.utils.data import DataLoader

from toile.errors import ToileError
from toile.training.order import SeededItems, StepSampler, batch_indices, epoch_permutation


@given(length=st.integers(1, 20), batch_size=st.integers(1, 30), seed=st.integers(0, 5))
def test_each_epoch_shows_every_item_once(length: int, batch_size: int, seed: int) -> None:
    epochs = 3
    stream = list(
        chain.from_iterable(
            batch_indices(seed, step, length, batch_size) for step in range(epochs * length // batch_size + 1)
        )
    )
    for epoch in range(epochs):
        assert sorted(stream[epoch * length : (epoch + 1) * length]) == list(range(length))


def test_epochs_and_seeds_differ() -> None:
    orders = {epoch_permutation(seed, epoch, 20) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_processes_share_the_batch_of_one() -> None:
    whole = batch_indices(3, 5, 7, 12)
    assert list(chain.from_iterable(batch_indices(3, 5, 7, 12, rank, 4) for rank in range(4))) == whole


def test_a_batch_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ToileError, match="batch_size 7 is not a multiple of the number of processes, 2"):
        batch_indices(0, 0, 10, 7, 0, 2)
    with pytest.raises(ToileError, match="batch_size 6 is not a multiple of 4"):
        StepSampler(0, 10, 6, accumulation=2, start=0, steps=1, world=2)
    with pytest.raises(ToileError, match="empty"):
        StepSampler(0, 0, 6, accumulation=1, start=0, steps=1)


def test_a_sampler_that_starts_later_yields_what_is_left() -> None:
    everything = list(StepSampler(0, 5, 8, accumulation=2, start=0, steps=6))
    left = StepSampler(0, 5, 8, accumulation=2, start=4, steps=6)
    assert list(left) == everything[8:]
    assert len(left) == 4
    assert [len(keys) for keys in left] == [4, 4, 4, 4]


@pytest.mark.parametrize("workers", [0, 2])
def test_augmentation_depends_on_the_place_in_the_stream_alone(workers: int) -> None:
    def read(workers: int, start: int, accumulation: int) -> torch.Tensor:
        sampler = StepSampler(0, 13, 8, accumulation=accumulation, start=start, steps=4)
        loader = DataLoader(SeededItems(Numbers()), batch_sampler=sampler, num_workers=workers)
        torch.manual_seed(workers + start)
        return torch.cat([batch["x"] for batch in loader])

    stream = read(0, 0, 1)
    assert torch.equal(read(workers, 2, 4), stream[16:])
    assert len(stream.unique(dim=0)) == len(stream)  # an item seen twice is augmented anew
