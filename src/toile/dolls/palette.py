"""Named colours of Paper Dolls, and how colours are put together.

Colours are uint8 RGB. The names are the words that captions use, so the vocabulary stays closed.
"""

import math

from toile.dolls.dice import Dice

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "white": (246, 244, 240),
    "cream": (240, 226, 196),
    "black": (36, 36, 42),
    "charcoal": (78, 82, 92),
    "grey": (158, 162, 168),
    "red": (208, 40, 48),
    "coral": (242, 112, 92),
    "orange": (238, 132, 38),
    "mustard": (214, 164, 44),
    "yellow": (248, 212, 70),
    "olive": (120, 126, 62),
    "green": (48, 148, 84),
    "mint": (152, 216, 186),
    "teal": (24, 128, 134),
    "sky-blue": (124, 188, 236),
    "blue": (44, 96, 200),
    "navy": (34, 48, 98),
    "denim": (86, 116, 162),
    "lavender": (180, 162, 222),
    "purple": (118, 68, 160),
    "magenta": (200, 52, 132),
    "pink": (246, 164, 188),
    "burgundy": (124, 28, 54),
    "brown": (124, 82, 54),
    "beige": (208, 184, 148),
}

SKINS: tuple[RGB, ...] = (
    (250, 220, 198),
    (242, 202, 172),
    (228, 180, 146),
    (206, 152, 114),
    (172, 118, 82),
    (132, 86, 60),
    (98, 64, 48),
)

HAIRS: dict[str, RGB] = {
    "black": (40, 34, 38),
    "brown": (92, 58, 38),
    "chestnut": (132, 74, 44),
    "blond": (226, 188, 116),
    "red": (178, 80, 40),
    "grey": (166, 164, 166),
    "pink": (226, 132, 166),
}

LOWER_FAVOURITES = ("denim", "navy", "black", "charcoal", "beige", "olive", "brown", "blue", "white", "grey")


def luminance(colour: RGB) -> float:
    """Perceived lightness of a colour, 0 (black) to 255 (white)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def distance(first: RGB, second: RGB) -> float:
    """Euclidean distance between two colours in RGB, 0 to 442."""
    return math.dist(first, second)


def contrasting(dice: Dice, name: str, avoid: tuple[str, ...] = ()) -> str:
    """Draws a colour that stands out clearly against the colour `name`."""
    base = COLOURS[name]
    good = [
        other
        for other, colour in COLOURS.items()
        if other not in avoid
        and abs(luminance(colour) - luminance(base)) > 62
        and distance(colour, base) > 120
    ]
    return dice.pick(good)


def three_colours(dice: Dice, favourites: tuple[str, ...] = ()) -> tuple[str, str, str]:
    """Draws a main colour, one that contrasts with it, and an accent that contrasts with the main colour."""
    main = dice.pick(favourites) if favourites and dice.chance(0.55) else dice.pick(tuple(COLOURS))
    second = contrasting(dice, main)
    accent = contrasting(dice, main, avoid=(second,))
    return main, second, accent
