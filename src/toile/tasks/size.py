"""Sizes as users write them."""

import re

from toile.errors import ToileError


def parse_size(text: str) -> tuple[int, int]:
    """Read `HxW`, as `256x192`, in pixels.

    Returns:
        (height, width).

    Raises:
        ToileError: when it is anything else.
    """
    found = re.fullmatch(r"([1-9]\d{0,4})[x×]([1-9]\d{0,4})", text.strip().lower())
    if found is None:
        raise ToileError(f"size {text!r} is not HEIGHTxWIDTH in pixels; write it as 256x192")
    return int(found[1]), int(found[2])
