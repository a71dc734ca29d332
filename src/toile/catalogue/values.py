"""Values in a list, as text or as JSON has them, turned into what a request takes."""

from collections.abc import Callable

from toile.tasks.drawing import CATEGORIES

Parse = Callable[[object], object]
"""Turns a value of a list into that of a request; a ValueError says what to write instead."""

TRUTH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def whole_number(value: object) -> int:
    """A whole number; spreadsheets write 7 as 7.0 at times."""
    try:
        found = _number(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError("a whole number")
    return found


def number(value: object) -> float:
    """A finite number."""
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise ValueError("a number")
    return float(value)


def truth(value: object) -> bool:
    """Yes or no."""
    found = value if isinstance(value, bool) else TRUTH.get(str(value).lower())
    if found is None:
        raise ValueError("yes or no")
    return found


class OneOf:
    """One of some words, in small or capital letters."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def __call__(self, value: object) -> str:
        """The word, in small letters."""
        if not isinstance(value, str) or value.lower() not in self.allowed:
            raise ValueError(f"one of {', '.join(self.allowed)}")
        return value.lower()


category = OneOf(*CATEGORIES)
"""A category of garments."""


def size(value: object) -> tuple[int, int]:
    """(height, width), in a text as 1024x768."""
    parts = value.lower().replace("×", "x").split("x") if isinstance(value, str) else value
    try:
        height, width = _whole_numbers(parts, 2)
    except ValueError:
        raise ValueError("a height and a width, as 1024x768") from None
    return height, width


def box(value: object) -> tuple[int, int, int, int] | str:
    """A box x0, y0, x1, y1, or the word predicted."""
    if isinstance(value, str) and value.lower() == "predicted":
        return "predicted"
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    try:
        x0, y0, x1, y1 = _whole_numbers(parts, 4)
    except ValueError:
        raise ValueError("predicted, or a box as 40,16,150,200") from None
    return x0, y0, x1, y1


def _whole_numbers(parts: object, count: int) -> list[int]:
    if not isinstance(parts, (list, tuple)) or len(parts) != count:
        raise ValueError(f"{count} whole numbers")
    return [whole_number(part) for part in parts]


def _number(value: str) -> int | float:
    """A number from a text; the length bounds the work."""
    if len(value) > 40:
        raise ValueError("a number")
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        raise ValueError("a number") from None
