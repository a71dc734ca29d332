"""Label sets of human parsing, and what each label means for a garment.

Everything inside speaks LIP's 20 labels, with VITON-HD's reading of 10: bare neck and chest.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from jaxtyping import UInt8

from toile.errors import ToileError

LabelSet = Literal["lip", "atr"]
LABEL_SETS: tuple[LabelSet, ...] = get_args(LabelSet)

LIP: Mapping[str, int] = {
    "background": 0, "hat": 1, "hair": 2, "glove": 3, "sunglasses": 4, "upper": 5, "dress": 6, "coat": 7,
    "socks": 8, "trousers": 9, "torso skin": 10, "scarf": 11, "skirt": 12, "face": 13, "left arm": 14,
    "right arm": 15, "left leg": 16, "right leg": 17, "left shoe": 18, "right shoe": 19,
}  # fmt: skip
"""LIP's labels by name; "left" is the person's left. LIP itself calls 10 jumpsuits."""
ATR: Mapping[str, int] = {
    "background": 0, "hat": 1, "hair": 2, "sunglasses": 3, "upper": 4, "skirt": 5, "trousers": 6, "dress": 7,
    "belt": 8, "left shoe": 9, "right shoe": 10, "face": 11, "left leg": 12, "right leg": 13, "left arm": 14,
    "right arm": 15, "bag": 16, "scarf": 17,
}  # fmt: skip
"""ATR's labels by name, as DressCode's label maps and the published Segformers for clothes number them."""
WITHOUT_LIP = {"belt": "trousers", "bag": "background"}
"""What LIP calls the labels of ATR that it lacks: a belt belongs to what it holds, a bag to nobody."""
GARMENT_LABELS: Mapping[str, frozenset[int]] = {
    "upper": frozenset({LIP["upper"], LIP["coat"]}),
    "lower": frozenset({LIP["trousers"], LIP["skirt"]}),
    "dress": frozenset({LIP["dress"]}),
    "hat": frozenset({LIP["hat"]}),
}
"""The labels of LIP that make up a kind of garment."""


def to_lip(parse: UInt8[np.ndarray, "H W"], label_set: LabelSet) -> UInt8[np.ndarray, "H W"]:
    """Rename the labels of a parse map to LIP's.

    Raises:
        ToileError: when the label set is unknown, or the map holds a number that it does not have.
    """
    if label_set not in LABEL_SETS:
        raise ToileError(f"label set {label_set!r} is unknown; write one of {', '.join(LABEL_SETS)}")
    names = LIP if label_set == "lip" else ATR
    largest = int(parse.max(initial=0))
    if largest >= len(names):
        raise ToileError(
            f"the parse map holds the label {largest}, and {label_set.upper()} ends at {len(names) - 1}; "
            "name the label set that it was made with"
        )
    table = np.zeros(256, np.uint8)
    for name, number in names.items():
        table[number] = LIP[WITHOUT_LIP.get(name, name)]
    return np.asarray(table[parse])
