"""What a parse map tells about itself."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from toile.data.parse_labels import ATR, GARMENT_LABELS, LIP, LabelSet, to_lip
from toile.data.record import Category

INDEXED = frozenset({"P", "L", "1"})
"""The modes whose values are labels; any other shows colours."""
SIZES: dict[LabelSet, int] = {"lip": len(LIP), "atr": len(ATR)}
"""How many labels a set has, from 0 on."""
WORN_AS_UPPER = GARMENT_LABELS["upper"] | GARMENT_LABELS["dress"]
"""VITON-HD tries on upper garments alone, so what its parse calls a dress counts as one."""


def labels_of(picture: Image.Image) -> UInt8[np.ndarray, "H W"] | None:
    """The labels of a parse map; None when it holds colours."""
    return np.asarray(picture).astype(np.uint8) if picture.mode in INDEXED else None


def parse_oddities(
    labels: UInt8[np.ndarray, "H W"] | None, label_set: LabelSet | None
) -> Iterator[tuple[str, str]]:
    """Codes and details of what a parse map alone shows.

    Args:
        labels: what `labels_of` gave.
        label_set: the labels that the layout uses; None takes LIP's, the longer set.
    """
    if labels is None:
        yield "parse-coloured", "it has no palette"
        return
    count, name = SIZES[label_set or "lip"], (label_set or "lip").upper()
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    unknown = used[used >= count]
    if unknown.size:
        some = ", ".join(str(label) for label in unknown[:8]) + (" ..." if unknown.size > 8 else "")
        yield "parse-labels", f"{some}; {name} ends at {count - 1}"
    elif used.tolist() == [0]:
        yield "parse-empty", "every label is 0"


def garment_region(labels: UInt8[np.ndarray, "H W"], label_set: LabelSet, category: Category) -> np.ndarray:
    """Where a garment of the category is worn, bool (H, W).

    Args:
        labels: none beyond the label set.
        label_set: what the labels mean.
        category: what is looked for; for VITON-HD's upper garments dresses count too.
    """
    wanted = GARMENT_LABELS[category]
    if label_set == "lip" and category == "upper":
        wanted = WORN_AS_UPPER
    return np.isin(to_lip(labels, label_set), sorted(wanted))
