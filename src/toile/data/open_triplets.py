"""Open triplets by one short text, the one that opens pairs, and read them past what is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

from toile.data.doll_pairs import SIZE
from toile.data.doll_triplets import Captions, DollTriplets
from toile.data.faults import FaultLog
from toile.data.fingerprint import digest, fingerprint
from toile.data.open import open_pairs, parse_dolls
from toile.data.readable import Broken, first_readable
from toile.data.triplet_folder import FILE, TripletFiles, open_triplets
from toile.data.triplets import PairTriplets, Reason, Triplet
from toile.errors import ToileError

Triplets = Sequence[Triplet] | Sequence[Triplet | Reason]


def open_triplet_source(
    spec: str, *, size: tuple[int, int] | None = None, vary_captions: bool = False
) -> Triplets:
    """Open triplets. The same text gives the same triplets in the same order, in every process.

    - `dolls:FIRST:COUNT`, with `:street` or `:mixed` behind it: two triplets a doll, all regions exact.
    - a folder with `triplets.jsonl`: what `toile data triplets` wrote.
    - anything else that `open_pairs` opens: what each pair makes by its own parse map, or why it makes none.

    Args:
        spec: the text.
        size: height and width that dolls are drawn at.
        vary_captions: whether dolls' clothes are described in some captions and left out of others.

    Raises:
        ToileError: when the text or the folder is nothing known.
    """
    if spec.startswith("dolls:") and "*" not in spec:
        first, count, mode = parse_dolls(spec)
        captions: Captions = "varied" if vary_captions else "described"
        return DollTriplets(first, count, mode=mode, size=size or SIZE, captions=captions)
    if (Path(spec) / FILE).is_file():
        return open_triplets(spec)
    return PairTriplets(open_pairs(spec))


def fingerprint_triplets(triplets: Triplets) -> str:
    """Sixteen hexadecimal digits that change when triplets come, go, change places, or a file its size."""
    if isinstance(triplets, DollTriplets):
        return triplets.fingerprint()
    if isinstance(triplets, PairTriplets):
        return digest(["triplets", fingerprint(triplets.pairs), triplets.hats, triplets.parser is None])
    return digest(_stamp(triplets[index]) for index in range(len(triplets)))


def _stamp(triplet: Triplet | Reason) -> object:
    if isinstance(triplet, str):
        return triplet
    files = triplet.pictures
    paths = (
        [files.photo, *files.garments.values(), *files.regions.values()]
        if isinstance(files, TripletFiles)
        else []
    )
    sizes = [(path.name, path.stat().st_size if path.is_file() else None) for path in paths]
    return triplet.identifier, triplet.caption, triplet.garments, sizes


@dataclass(frozen=True, kw_only=True)
class LoadedTripletPictures:
    """The pictures of a triplet, decoded."""

    photo: Image.Image
    """The person, RGB."""
    garments: Mapping[str, Image.Image]
    """The garments on white, RGB, by kind."""
    regions: Mapping[str, Image.Image]
    """Where they are worn in the photo, 0 or 255, by kind."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.photo

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB."""
        return self.garments[kind]

    def worn(self, kind: str) -> Image.Image:
        """Where it is worn, 0 or 255."""
        return self.regions[kind]


def load_triplet(triplet: Triplet) -> Triplet:
    """The same triplet with its pictures decoded, so that reading them again cannot fail.

    Raises:
        ToileError: when one cannot be read.
    """
    return replace(
        triplet,
        pictures=LoadedTripletPictures(
            photo=triplet.person,
            garments={kind: triplet.garment(kind) for kind in triplet.kinds},
            regions={kind: triplet.worn(kind) for kind in triplet.kinds},
        ),
    )


class ReadableTriplets(Sequence[Triplet]):
    """Triplets with their pictures decoded; places without a whole triplet are taken by the next that is.

    That is a function of the dataset alone, so that every process and every resumed run put the same triplet
    there. Broken ones are named; pairs that make no triplet are not, nor triplets of other kinds.
    """

    def __init__(
        self, triplets: Triplets, faults: FaultLog, *, kinds: Sequence[str] = (), broken: Broken = "skip"
    ) -> None:
        """Wrap triplets.

        Args:
            triplets: what is read.
            faults: keeps what was skipped.
            kinds: a triplet needs a garment of one of them; empty takes any.
            broken: with "stop", a broken triplet is not skipped.
        """
        self.triplets, self.faults, self.kinds, self.broken = triplets, faults, frozenset(kinds), broken

    def __len__(self) -> int:
        """How many places."""
        return len(self.triplets)

    def fingerprint(self) -> str:
        """What tells these triplets from others; looked for once, as it asks every file for its size."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_triplets(self.triplets)

    def __getitem__(self, index: int) -> Triplet:  # type: ignore[override]
        """The triplet of a place, decoded.

        Raises:
            ToileError: when it is broken and that is to stop the run, or when nothing nearby can be read.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"triplet {index} of {len(self)}")
        note = None if self.broken == "stop" else self._note
        return first_readable(len(self), index % len(self), self._read, note)

    def _read(self, place: int) -> Triplet | None:
        triplet = self.triplets[place]
        if isinstance(triplet, str) or (self.kinds and self.kinds.isdisjoint(triplet.kinds)):
            return None
        return load_triplet(triplet)

    def _note(self, place: int, error: ToileError) -> None:
        try:
            triplet = self.triplets[place]
            assert not isinstance(triplet, str)
            self.faults.note(triplet.source, triplet.identifier, error)
        except ToileError:  # not even its name can be read
            self.faults.note("", f"triplet {place}", error)
