"""What somebody is to wear: garments by their kinds, as they are given, and as the networks want them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from toile.diffusion.photos import Picture, listed
from toile.errors import ToileError

Garments = Mapping[str, Picture | Sequence[Picture]]
"""The pictures of what one person wears, by kind: one picture, or several of a kind."""
Weights = Mapping[str, float | Sequence[float]]
"""A weight for every garment of a kind, or one for each of them."""


@dataclass(frozen=True, kw_only=True)
class Outfits:
    """The garments of several people, one after another."""

    pictures: tuple[Picture, ...]
    """Of each garment, on white."""
    kinds: tuple[str, ...]
    """Of each garment."""
    rows: tuple[tuple[int, ...], ...]
    """The garments of each person, by their numbers."""

    @classmethod
    def of(cls, garments: Garments | Sequence[Garments]) -> "Outfits":
        """Put the garments of one person or of several in a row.

        Raises:
            ToileError: when there are none at all.
        """
        outfits = [garments] if isinstance(garments, Mapping) else list(garments)
        pictures: list[Picture] = []
        kinds: list[str] = []
        rows: list[tuple[int, ...]] = []
        for outfit in outfits:
            first = len(pictures)
            for kind, given in outfit.items():
                pictures += listed(given)
                kinds += [kind] * (len(pictures) - len(kinds))
            rows.append(tuple(range(first, len(pictures))))
        if not pictures:
            raise ToileError("there is nothing to wear: give a garment by its kind, as upper=picture")
        return cls(pictures=tuple(pictures), kinds=tuple(kinds), rows=tuple(rows))


def item_weights(kinds: Sequence[str], weights: Weights) -> list[float]:
    """One weight for each garment; kinds that are not named keep 1.

    Args:
        kinds: of each garment.
        weights: by kind; several for a kind belong to its garments in their order.

    Raises:
        ToileError: when a kind is not worn, or has more or fewer garments than weights.
    """
    found = [1.0] * len(kinds)
    for kind, given in weights.items():
        places = [place for place, own in enumerate(kinds) if own == kind]
        if not places:
            raise ToileError(f"a weight is for {kind!r}, but what is worn is {', '.join(kinds) or 'nothing'}")
        values = list(given) if isinstance(given, Sequence) else [given] * len(places)
        if len(values) != len(places):
            raise ToileError(f"{len(values)} weights are for {len(places)} garments of the kind {kind!r}")
        for place, value in zip(places, values, strict=True):
            found[place] = float(value)
    return found
