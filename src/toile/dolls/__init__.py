"""Paper Dolls: a procedural dataset of people in clothes, with exact ground truth."""

from toile.dolls.doll import CATEGORIES, MODES, TELLINGS, Category, Doll, FlatGarment, Hardness, Mode, Telling
from toile.dolls.draw import draw_doll

__all__ = [
    "CATEGORIES",
    "MODES",
    "TELLINGS",
    "Category",
    "Doll",
    "FlatGarment",
    "Hardness",
    "Mode",
    "Telling",
    "draw_doll",
]
