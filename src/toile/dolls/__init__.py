"""Paper Dolls: a procedural dataset of people in clothes, with exact ground truth."""

from toile.dolls.doll import CATEGORIES, MODES, Category, Doll, FlatGarment, Hardness, Mode
from toile.dolls.draw import draw_doll

__all__ = ["CATEGORIES", "MODES", "Category", "Doll", "FlatGarment", "Hardness", "Mode", "draw_doll"]
