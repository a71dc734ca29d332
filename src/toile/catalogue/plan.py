"""How a list is cut into blocks, the units of work: what is done together, and what is left to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from toile.catalogue.item import BadItem, Item
from toile.catalogue.manifest import OPEN


@dataclass(frozen=True, kw_only=True)
class Block:
    """Items that one worker does together; drawn again, a block gives the same pictures to the bit."""

    number: int
    """Unique within an output folder."""
    items: tuple[Item | BadItem, ...]
    """In the order of the list."""
    attempt: int = 1
    """How often it has been handed out, this time included."""


@dataclass(frozen=True)
class Plan:
    """The blocks of a list of `count` items: block b holds `size` neighbours, from b · `size` on.

    Blocks beyond these are made of what is left of blocks of which a part is recorded: items that failed and
    are to be tried again, or that were done one by one.
    """

    count: int
    """Items of the list."""
    size: int
    """Items of a block."""

    @property
    def blocks(self) -> int:
        """How many blocks the list is cut into."""
        return -(-self.count // self.size)

    def numbers(self, block: int) -> range:
        """The items of a block of the list."""
        return range(block * self.size, min((block + 1) * self.size, self.count))

    def open_blocks(self, states: UInt8[np.ndarray, " items"]) -> Iterator[tuple[int | None, Sequence[int]]]:
        """What is to be done, a block at a time; little of it is in memory at once.

        Args:
            states: of the items; they may change meanwhile, as what was given out is recorded.

        Yields:
            A block of the list, as its number and its items; or None and items whose neighbours are done.
        """
        left: list[int] = []
        for block in range(self.blocks):
            numbers = self.numbers(block)
            is_open = states[numbers.start : numbers.stop] == OPEN
            if is_open.all():
                yield block, numbers
            else:
                left += (numbers.start + np.flatnonzero(is_open)).tolist()
            while len(left) >= self.size:
                yield None, left[: self.size]
                left = left[self.size :]
        if left:
            yield None, left
