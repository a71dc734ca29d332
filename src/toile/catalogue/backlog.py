"""Which block is handed out next, and what becomes of the blocks of a worker that died."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from toile.catalogue.draft import failed_row
from toile.catalogue.manifest import Row
from toile.catalogue.plan import Block

LIVES = 2
"""So many workers may die of a block, and of an item."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A block, and what is known against it."""

    block: Block
    """The block."""
    alone: bool = False
    """Whether its worker is to have nothing else, so that a death is certainly this block's doing."""
    deaths: int = 0
    """Workers that died of it for certain."""


@dataclass
class Backlog:
    """Blocks that wait: fresh ones, and those that a dead worker left.

    A worker has several blocks at hand, so when it dies each may be the cause. None of them is blamed
    for that: each is drawn again by a worker that has nothing else. A block that is to blame for `LIVES`
    deaths is cut into single items, each for a worker of its own, and an item that is to blame for `LIVES`
    deaths is recorded as failed. A worker that died of something else thus costs time, and no item.
    """

    fresh: Iterator[Block]
    """Blocks that were never handed out; they are read from the list as they are needed."""
    next_number: int
    """From here on, numbers of blocks are free."""
    waiting: deque[Share] = field(default_factory=deque)
    """Blocks without suspicion that came back."""
    suspects: deque[Share] = field(default_factory=deque)
    """Blocks that need a worker of their own."""

    def take(self, idle: bool) -> Share | None:
        """The next block for a worker; None when there is none that it may have now.

        Args:
            idle: whether the worker has nothing else. While there are suspects, the others have to become so.
        """
        if self.suspects:
            return self.suspects.popleft() if idle else None
        if not self.waiting:
            self._fill()
        return self.waiting.popleft() if self.waiting else None

    def is_empty(self) -> bool:
        """Whether nothing waits any more."""
        if not self.waiting and not self.suspects:
            self._fill()
        return not self.waiting and not self.suspects

    def _fill(self) -> None:
        """Have the next fresh block wait, if there is one."""
        block = next(self.fresh, None)
        if block is not None:
            self.waiting.append(Share(block=block))

    def take_back(self, shares: Sequence[Share], reason: str, culprit: int | None = None) -> list[Row]:
        """Take back the blocks of a worker that died.

        Args:
            shares: what it had, in their order.
            reason: how it died.
            culprit: the block that it died of, where that is known.

        Returns:
            The row of an item that is given up.
        """
        if culprit is None and not any(share.alone for share in shares):
            self.suspects.extend(replace(share, alone=True, block=_again(share.block)) for share in shares)
            return []
        rows = []
        for share in reversed(shares):
            if share.alone or share.block.number == culprit:
                rows += self._blame(share, reason)
            else:
                self.give_back(share)
        return rows

    def give_back(self, share: Share) -> None:
        """Take a block back that nothing speaks against."""
        self.waiting.appendleft(share)

    def _blame(self, share: Share, reason: str) -> list[Row]:
        deaths, block = share.deaths + 1, share.block
        if deaths < LIVES:
            self.suspects.append(Share(block=_again(block), alone=True, deaths=deaths))
            return []
        if len(block.items) == 1:
            return [failed_row(block, block.items[0], f"the worker died on it twice ({reason})")]
        for item in block.items:
            single = Block(number=self.new_number(), items=(item,), attempt=block.attempt + 1)
            self.suspects.append(Share(block=single, alone=True))
        return []

    def new_number(self) -> int:
        """A number for a block that the list itself does not have."""
        self.next_number += 1
        return self.next_number - 1


def _again(block: Block) -> Block:
    return replace(block, attempt=block.attempt + 1)
