"""Encoded garments that are kept, so that a garment that comes again is not encoded again."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from PIL import Image


class Encodings:
    """Keeps what was encoded last; what has not been asked for longest goes first.

    Each garment is encoded by itself, so what comes of it does not depend on what it is drawn together with.

    Args:
        most: encodings that are kept.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self.made = 0
        """How many garments were encoded."""
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, encode: Callable[[], Any]) -> Any:
        """What is kept under a key, or else what `encode` makes."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = encode()
        self.made += 1
        self._kept[key] = made
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        return made


def picture_key(picture: Image.Image | None) -> str:
    """A name for the pixels of a picture."""
    if picture is None:
        return ""
    shape = f"{picture.mode} {picture.size}".encode()
    return hashlib.sha256(shape + picture.tobytes()).hexdigest()
