"""What tells a dataset apart from itself after a change: names and sizes of files, never their content."""

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from toile.data.doll_pairs import DollPairs
from toile.data.record import GarmentPair


def fingerprint(pairs: Sequence[GarmentPair]) -> str:
    """Sixteen hexadecimal digits that change when pairs come, go, change places, or a file changes its size.

    Pictures are not read: a file that is replaced by another of exactly its size goes unnoticed. A dataset
    may be moved: only the last two parts of a path count. A sequence may know its own, as `fingerprint()`.
    """
    own = getattr(pairs, "fingerprint", None)
    if callable(own):
        return str(own())
    if isinstance(pairs, DollPairs):
        return digest([pairs.seeds, pairs.mode, pairs.size, pairs.paired])
    return digest(_pair(pairs[index]) for index in range(len(pairs)))


def digest(parts: Iterable[object]) -> str:
    """Sixteen hexadecimal digits of anything with a faithful `repr`, one part after the other."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(f"{part!r}\n".encode())
    return hashed.hexdigest()[:16]


def _pair(pair: GarmentPair) -> object:
    return pair.identifier, pair.category, _stamp(pair.pictures)


def _stamp(value: object) -> object:
    """What a source of pictures depends on, as far as its fields tell."""
    if isinstance(value, Path):
        return value.parts[-2:], value.stat().st_size if value.is_file() else None
    if dataclasses.is_dataclass(value):
        return [(field.name, _stamp(getattr(value, field.name))) for field in dataclasses.fields(value)]
    wrapped = getattr(value, "pictures", None)
    if wrapped is not None:
        return type(value).__name__, getattr(value, "size", None), _stamp(wrapped)
    return value if isinstance(value, (str, int, float, tuple, type(None))) else type(value).__name__
