"""Which rows of a denoiser's batch own which items of a wardrobe.

Legend: `items` garments, `N` tokens of one, `C` their width, `rows` of a batch, `M` tokens that a row sees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

Owner = int | tuple[int, ...]
"""What a row owns: one item, several that it sees side by side, or nothing, which is −1 or ()."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Neighbouring rows of a batch that are served alike."""

    rows: slice
    """The rows of the batch."""
    items: slice | tuple[int, ...] | None
    """The items they own, an equal number each, or the same for all of them; None when they own nothing."""
    each: int = 1
    """How many items a row owns."""

    def take(self, tokens: Float[Tensor, "items N C"]) -> Float[Tensor, "rows M C"]:
        """What the rows see of the items' tokens, those of one row side by side: views wherever it can be."""
        taken = tokens[list(self.items) if isinstance(self.items, tuple) else self.items]
        seen = taken.reshape(-1, self.each * tokens.shape[1], tokens.shape[2])
        return seen.expand(self.rows.stop - self.rows.start, -1, -1)


def owned_items(owner: Owner) -> tuple[int, ...]:
    """The items that a row owns, in the order in which it sees them."""
    if isinstance(owner, tuple):
        return owner
    return () if owner == -1 else (owner,)


def shifted(owner: Owner, by: int) -> Owner:
    """The same, after so many other items were put in front."""
    if isinstance(owner, tuple):
        return tuple(item + by for item in owner)
    return owner if owner == -1 else owner + by


def find_runs(rows: Sequence[Owner]) -> Iterator[Run]:
    """The rows as few runs, so that slices (views) serve instead of copies by index."""
    owners = [owned_items(owner) for owner in rows]
    start = 0
    while start < len(owners):
        first = owners[start]
        width = len(first)
        follows = tuple(item + width for item in first)
        side_by_side = width > 0 and first == tuple(range(first[0], first[0] + width))
        step = width if side_by_side and owners[start + 1 : start + 2] == [follows] else 0
        stop = start + 1
        while stop < len(owners) and owners[stop] == tuple(item + step for item in owners[stop - 1]):
            stop += 1
        items = slice(first[0], owners[stop - 1][-1] + 1) if side_by_side else first or None
        yield Run(rows=slice(start, stop), items=items, each=width or 1)
        start = stop
