"""What predictions are compared with: one truth an item, whose pictures are read when they are asked for.

A truth is small and can be sent to another process; what it `show`s is not kept.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from PIL import Image

from toile.data.doll_pairs import doll_pair
from toile.data.record import GarmentPair
from toile.dolls import Mode
from toile.evaluation.protocols.protocol import FLAT, Task

Region = Literal["silhouette", "mask"]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Everything that is known about one item, its pictures read."""

    category: str
    """The garment's."""
    labels: tuple[str, ...]
    """What makes it hard, sorted."""
    target: Image.Image | None
    """What should have been made, RGB; None where nobody knows."""
    target_name: str
    """Where that comes from; empty without."""
    region: Image.Image | None
    """"L", of the target's size: where metrics of the garment alone look; None without a target."""
    inputs: tuple[Image.Image, ...]
    """What the method saw and could have given back unchanged, RGB."""
    input_names: tuple[str, ...]
    """Where those come from."""
    mask: Image.Image | None = None
    """The agnostic mask of the first input, "L"; None where the source has none, or the task needs none."""
    prompt: str | None = None
    """What the method was told."""
    garments: tuple[tuple[str, Image.Image], ...] = ()
    """The kinds and flat pictures of the garments to be worn."""


@runtime_checkable
class Truth(Protocol):
    """One item of an evaluation."""

    @property
    def identifier(self) -> str:
        """Names the item within the evaluation."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """What its prediction may be called, without the suffix, the best name first."""
        ...

    @property
    def line(self) -> str:
        """The item as a row of the list of pairs."""
        ...

    def show(self) -> Shown:
        """Read its pictures."""
        ...


@dataclass(frozen=True, kw_only=True)
class PairTruth:
    """A pair of a dataset."""

    pair: GarmentPair
    """The record, whose pictures are read lazily."""
    task: Task
    """What is predicted from it."""
    region: Region
    """Where metrics of the garment alone look."""

    @property
    def identifier(self) -> str:
        """The pair's."""
        return self.pair.identifier

    @property
    def names(self) -> tuple[str, ...]:
        """The identifier, its last part, and the photo's own file name."""
        person = picture_name(self.pair, "person")
        photo = (Path(person).stem,) if "/" in person else ()
        return tuple(dict.fromkeys((self.identifier, self.identifier.rpartition("/")[2], *photo)))

    @property
    def line(self) -> str:
        """Who wears what, and its category."""
        worn = self.pair.garment_identifier or self.pair.identifier
        return f"{self.pair.identifier}\t{worn}\t{self.pair.category}"

    def show(self) -> Shown:
        """Read the pictures that the task needs."""
        return shown(self.pair, self.task, self.region)


@dataclass(frozen=True, kw_only=True)
class DollTruth:
    """A Paper Doll in its own garment, which is not drawn before it is looked at."""

    seed: int
    """The doll's."""
    mode: Mode
    """Studio or street."""
    size: tuple[int, int]
    """Height and width that it is drawn at."""
    task: Task
    """What is predicted from it."""
    region: Region
    """Where metrics of the garment alone look."""

    @property
    def identifier(self) -> str:
        """Mode and seed."""
        return f"{self.mode}-{self.seed:08d}"

    @property
    def names(self) -> tuple[str, ...]:
        """The identifier."""
        return (self.identifier,)

    @property
    def line(self) -> str:
        """The doll, and the size that it is drawn at."""
        return f"{self.identifier}\t{self.size[0]}x{self.size[1]}"

    @property
    def pair(self) -> GarmentPair:
        """The doll as a pair, drawn."""
        return doll_pair(self.seed, self.size, self.mode)

    def show(self) -> Shown:
        """Draw it."""
        return shown(self.pair, self.task, self.region, (self.mode,))


@dataclass(frozen=True, kw_only=True)
class RealPicture:
    """One picture of the real set that predictions are compared with as a set."""

    identifier: str
    """Names it within the set."""
    truth: PairTruth | DollTruth | None = None
    """The pair that it is of; None for a file."""
    side: Literal["persons", "garments"] = "garments"
    """Which picture of the pair."""
    path: Path | None = None
    """The file, where there is no pair."""

    def show(self) -> Image.Image:
        """Read it, RGB."""
        if self.truth is None:
            from toile.images import load_photo

            return load_photo(self.path or Path())
        pair = self.truth.pair
        return pair.person if self.side == "persons" else pair.garment


def shown(pair: GarmentPair, task: Task, region: Region, labels: tuple[str, ...] = ()) -> Shown:
    """Read what a task needs of a pair.

    Args:
        pair: the record.
        task: what is predicted.
        region: where metrics of the garment alone look.
        labels: further ones than the pair's own.
    """
    person, flat = pair.person, task in FLAT
    known = pair.paired
    mask = pair.mask if pair.has_mask and not flat else None
    target = (pair.garment if flat else person) if known else None
    own = tuple(sorted({*labels, *(pair.reasons or ())}))
    return Shown(
        category=pair.category,
        labels=own,
        target=target,
        target_name=picture_name(pair, "garment" if flat else "person") if known else "",
        region=_region(pair, region, flat, target, mask),
        inputs=(person,) if flat else (person, pair.garment),
        input_names=tuple(
            picture_name(pair, side) for side in (("person",) if flat else ("person", "garment"))
        ),
        mask=mask,
        garments=() if flat else ((pair.category, pair.garment),),
    )


def _region(
    pair: GarmentPair, region: Region, flat: bool, target: Image.Image | None, mask: Image.Image | None
) -> Image.Image | None:
    if target is None:
        return None
    if region == "mask":
        return mask
    return pair.silhouette if flat else None


def picture_name(pair: GarmentPair, side: str) -> str:
    """Where a picture of a pair comes from: the last parts of its file's path, or SOURCE:IDENTIFIER:SIDE."""
    pictures: object = pair.pictures
    while not hasattr(pictures, f"{side}_file") and hasattr(pictures, "pictures"):
        pictures = pictures.pictures
    path = getattr(pictures, f"{side}_file", None)
    return "/".join(path.parts[-3:]) if isinstance(path, Path) else f"{pair.source}:{pair.identifier}:{side}"
