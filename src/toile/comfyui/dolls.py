"""The node that draws Paper Dolls, so that a graph can be tried without any photo at hand."""

from typing import cast

from PIL import Image
from torch import Tensor

from toile.comfyui.node import Node, Sockets, choice_socket, whole_socket
from toile.comfyui.pictures import from_masks, from_pictures
from toile.dolls import CATEGORIES, MODES, Category, Mode, draw_doll
from toile.dolls.draw import LARGEST, SMALLEST
from toile.tasks.drawing import LARGEST_JAVASCRIPT_SEED

FIRST_UNSEEN = 10_000_000
"""Seeds below are for training."""
ANY = "any"


class ToileDoll(Node):
    """Draw Paper Doll: a person in clothes, and everything that is known about the picture."""

    TITLE = "Draw Paper Doll (toile)"
    DESCRIPTION = (
        "Draws a person in clothes, the garment laid flat, its mask, and a sentence about the picture."
    )
    RETURN_TYPES = ("IMAGE", "IMAGE", "MASK", "STRING")
    RETURN_NAMES = ("photo", "garment", "mask", "caption")
    OUTPUT_TOOLTIPS = (
        "The person.",
        "The garment, flat on white.",
        "Where to repaint to change it.",
        "What there is to see.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        seed = "The same seed gives the same doll at each size. Below 10,000,000 they serve for training."
        required = {
            "seed": whole_socket(FIRST_UNSEEN, 0, LARGEST_JAVASCRIPT_SEED, seed, control_after_generate=True),
            "category": choice_socket((ANY, *CATEGORIES), "Of the garment; any lets the seed decide."),
            "mode": choice_socket(MODES, "A plain studio, or a street with clutter and harder poses."),
            "height": whole_socket(256, SMALLEST, LARGEST, "Pixels.", step=8),
            "width": whole_socket(192, SMALLEST, LARGEST, "Pixels.", step=8),
        }
        return {"required": required}

    def run(
        self, seed: int, category: str, mode: str, height: int, width: int
    ) -> tuple[Tensor, Tensor, Tensor, str]:
        """Draw a doll.

        Raises:
            ToileError: when the seed or the size cannot be drawn.
        """
        chosen = None if category == ANY else cast(Category, category)
        doll = draw_doll(seed, (height, width), cast(Mode, mode), chosen)
        photo, garment = (Image.fromarray(picture) for picture in (doll.person, doll.garment))
        mask = Image.fromarray(doll.agnostic_mask)
        return from_pictures([photo]), from_pictures([garment]), from_masks([mask]), doll.caption
