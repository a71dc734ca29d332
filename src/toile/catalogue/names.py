"""Names of items: each becomes a file's name, so it leads nowhere, and no two are the same."""

import hashlib
import unicodedata
from array import array

import numpy as np
from jaxtyping import Int64

from toile.errors import ToileError

LONGEST = 200
"""Bytes of a name in UTF-8: file systems allow 255, with the suffix."""
FORBIDDEN = frozenset('/\\:*?"<>|')
"""What some file system takes for more than a letter."""
SHOWN = 60
"""A refused name is shown up to so many characters."""


def check_name(name: str) -> None:
    """Refuse a name that no file can have everywhere, or that leads elsewhere.

    Raises:
        ToileError: saying what is wrong with it.
    """
    shown = repr(name if len(name) <= SHOWN else f"{name[:SHOWN]}...")
    if not name.strip(". "):
        raise ToileError(f"the name {shown} is empty; write letters or digits")
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST:
        raise ToileError(f"the name {shown} is longer than {LONGEST} bytes; shorten it")
    wrong = None if _is_clean(name) else next(letter for letter in name if not _is_clean(letter))
    if wrong is not None or name[0] == "." or name[-1] in ". ":
        what = f"contains {wrong!r}" if wrong is not None else "begins or ends with a dot or a space"
        raise ToileError(f"the name {shown} {what}, which a file's name must not; change it")


def safe_name(text: str) -> str:
    """A name that `check_name` accepts, made of any text; two texts may become one name."""
    clean = text if _is_clean(text) else "".join(letter if _is_clean(letter) else "_" for letter in text)
    letters = clean.strip(". ")
    cut = letters.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore").strip(". ")
    return cut or "_"


def _is_clean(text: str) -> bool:
    """Whether every letter of a text may stand in a file's name."""
    return text.isprintable() and FORBIDDEN.isdisjoint(text)


def numbered_name(number: int) -> str:
    """The name of an item that has none of its own, by its position from 0."""
    return f"item-{number:07d}"


def same_file(name: str) -> str:
    """What names share that are one file on some computer: capital or small, composed or not."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class NameCheck:
    """Looks for equal names among any number of them, at eight bytes a name."""

    def __init__(self) -> None:
        self.hashes = array("Q")

    def add(self, name: str) -> None:
        """Take the next name."""
        hashed = hashlib.blake2b(same_file(name).encode("utf-8", "surrogatepass"), digest_size=8)
        self.hashes.append(int.from_bytes(hashed.digest(), "little"))

    def suspects(self) -> Int64[np.ndarray, "pairs 2"]:
        """Positions of names whose hashes are equal: almost surely, but not surely, equal names."""
        hashes = np.frombuffer(self.hashes, np.uint64) if self.hashes else np.empty(0, np.uint64)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        equal = np.flatnonzero(ordered[1:] == ordered[:-1])
        pairs = np.stack([order[equal], order[equal + 1]], axis=1).astype(np.int64)
        by_second = pairs[np.argsort(pairs[:, 1], kind="stable")]
        return by_second
