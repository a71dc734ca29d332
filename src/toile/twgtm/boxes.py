"""Where a flat garment is to be generated: what a user says of it, for each picture.

Legend: `B` batch, `H W` pixels of one panel.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from toile.diffusion.photos import repeated
from toile.errors import ToileError
from toile.twgtm.panels import Box, bounding_box, box_repaint

PREDICTED = "predicted"
"""The rectangle around the silhouette that the model itself predicts (Eq. 10)."""

Choice = Box | Literal["predicted"] | None
"""One picture's rectangle, the predicted one, or None for everywhere."""


def box_choices(box: Sequence[Any] | str | None, count: int) -> list[Choice]:
    """Bring what a user gives to one choice for each of `count` pictures.

    Args:
        box: None, `predicted`, or (x0, y0, x1, y1), for all pictures; or a list with one of these for each.
        count: how many pictures there are.

    Raises:
        ToileError: when a choice is none of these, or there are neither one nor `count`.
    """
    one = box is None or isinstance(box, str) or _is_box(box)
    return [_choice(item) for item in repeated([box] * count if one else list(box or ()), count)]


def choice_repaint(
    choices: Sequence[Choice], silhouette: Float[Tensor, "B 1 H W"] | None, size: tuple[int, int]
) -> Float[Tensor, "B 1 H W"]:
    """Say for each picture which pixels are generated.

    Source: TWGTM, "Mask2BBox". Ours: a silhouette with no pixel above one half chooses everywhere.

    Args:
        choices: of each picture, as `box_choices` gives them.
        silhouette: predicted, in [0, 1]; only `predicted` needs it.
        size: (height, width) of a panel.

    Raises:
        ToileError: when a box does not fit the panel.
    """
    height, width = size
    everywhere = (0, 0, width, height)
    boxes = []
    for index, choice in enumerate(choices):
        if choice == PREDICTED and silhouette is not None:
            found = silhouette[index].float()  # (1 H W)
            boxes.append(bounding_box(found) if (found > 0.5).any() else everywhere)
        else:
            boxes.append(choice if isinstance(choice, tuple) else everywhere)
    return box_repaint(boxes, size)


def _is_box(given: Sequence[Any]) -> bool:
    return len(given) == 4 and all(isinstance(side, int | np.integer) for side in given)


def _choice(given: Any) -> Choice:
    if given is None:
        return None
    if given == PREDICTED:
        return "predicted"
    if isinstance(given, Sequence) and not isinstance(given, str) and _is_box(given):
        x0, y0, x1, y1 = (int(side) for side in given)
        return x0, y0, x1, y1
    raise ToileError(f"box {given!r} is none; write (x0, y0, x1, y1) in whole pixels, 'predicted', or None")
