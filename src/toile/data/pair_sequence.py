"""What every sequence of pairs has in common: indices from the end, and slices."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from toile.data.record import GarmentPair


class PairSequence(Sequence[GarmentPair]):
    """Pairs that are made when they are indexed. A subclass says how many there are, and makes one.

    Sequences of pairs hold no open files, so that they travel to the reading processes of a training.
    """

    @abstractmethod
    def pair(self, index: int) -> GarmentPair:
        """The pair at an index from 0 to the length, exclusive."""

    @overload
    def __getitem__(self, index: int) -> GarmentPair: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[GarmentPair]: ...

    def __getitem__(self, index: int | slice) -> GarmentPair | Sequence[GarmentPair]:
        """One pair, or the pairs of a slice, their pictures still unread."""
        places = range(len(self))
        if isinstance(index, slice):
            return [self.pair(place) for place in places[index]]
        return self.pair(places[index])
