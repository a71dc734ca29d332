"""Captions that say more or less of the clothes, so that a prompt may leave them to the garments."""

from collections.abc import Sequence
from dataclasses import replace

from toile.data.doll_pairs import DollPictures
from toile.data.fingerprint import digest, fingerprint
from toile.data.pair_sequence import PairSequence
from toile.data.record import GarmentPair
from toile.dolls import TELLINGS, Telling


def telling_of(seed: int) -> Telling:
    """What a doll's caption says of its clothes, so that a third each describe, name and omit them."""
    return TELLINGS[seed // 2 % len(TELLINGS)]  # odd seeds of `mixed` are street: both modes get all three


class VariedCaptions(PairSequence):
    """Pairs whose dolls are told by `telling_of`: a model of them can be asked for a person in any clothes.

    Pairs that are not dolls stay as they are.
    """

    def __init__(self, pairs: Sequence[GarmentPair]) -> None:
        """Wrap `pairs`."""
        self.pairs = pairs

    def __len__(self) -> int:
        """How many."""
        return len(self.pairs)

    def fingerprint(self) -> str:
        """What tells these pairs from the same with other captions."""
        return digest([fingerprint(self.pairs), TELLINGS])

    def pair(self, index: int) -> GarmentPair:
        """One pair."""
        pair = self.pairs[index]
        if not isinstance(pair.pictures, DollPictures):
            return pair
        doll = pair.pictures.doll
        return replace(pair, caption=doll.captions[telling_of(doll.seed)])
