"""Leave out pairs by a list: known duplicates, and what stands in both train and test.

VITON-HD has both. TryOffDiff (arXiv 2411.18350, supplement A) counts 95 duplicate pairs among its 11,647
for training and 6 among its 2,032 for testing, and 36 of the test's pairs that are in training too; without
them 11,552 and 1,990 are left. Which ones they are is in no paper. The list is the user's, or the one that
`toile data check` writes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from toile.data.fingerprint import digest, fingerprint
from toile.data.pair_list import read_text
from toile.data.pair_sequence import PairSequence
from toile.data.record import GarmentPair
from toile.errors import ToileError


def read_exclusions(path: Path) -> frozenset[str]:
    """The identifiers in a list: one a line, a file's name standing for its stem; `#` starts a comment.

    Raises:
        ToileError: when the list is missing or no text, or a line holds several words.
    """
    found = set()
    for number, line in enumerate(read_text(path, "the list of exclusions").split("\n"), 1):
        words = line.partition("#")[0].split()
        if len(words) > 1:
            raise ToileError(f"{path}, line {number}, holds {len(words)} words; write one identifier a line")
        found |= {_stem(word) for word in words}
    return frozenset(found)


class ExcludedPairs(PairSequence):
    """Pairs without those of which the person, or the garment to be put on, stands in a list."""

    def __init__(self, pairs: Sequence[GarmentPair], excluded: frozenset[str]) -> None:
        """Look at every identifier of `pairs` now (dolls are drawn for that); pictures stay unread.

        Raises:
            ToileError: when nothing would be left.
        """
        rows = [index for index in range(len(pairs)) if not _named(pairs[index], excluded)]
        if not rows:
            raise ToileError(
                f"the list of exclusions names each of the {len(pairs)} pairs, so that none is left; "
                "shorten it"
            )
        self.pairs, self.rows = pairs, np.array(rows)

    def __len__(self) -> int:
        """How many are left."""
        return len(self.rows)

    def pair(self, index: int) -> GarmentPair:
        """One of them."""
        return self.pairs[int(self.rows[index])]

    def fingerprint(self) -> str:
        """What tells these pairs from others: the pairs themselves, and which are left."""
        return digest([fingerprint(self.pairs), self.rows.tolist()])


def _named(pair: GarmentPair, excluded: frozenset[str]) -> bool:
    return not excluded.isdisjoint({_stem(pair.identifier), _stem(pair.garment_identifier)} - {""})


def _stem(name: str) -> str:
    """The name without a picture's suffix."""
    for suffix in (".jpg", ".jpeg", ".png", ".webp"):
        name = name.removesuffix(suffix)
    return name
