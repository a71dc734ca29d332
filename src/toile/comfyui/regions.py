"""Where to work in photos: in masks that are connected, in masks that are found, or everywhere."""

from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from toile.comfyui.node import (
    Node,
    Socket,
    Sockets,
    category_socket,
    image_socket,
    models_socket,
    switch_socket,
)
from toile.comfyui.pictures import from_masks, to_masks, to_pictures
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.masks import AUTO, MaskChoice


def find_mask_socket(otherwise: str) -> Socket:
    """Whether a mask is found where none is connected."""
    return switch_socket(True, f"Where no mask is connected, have one found; otherwise {otherwise}.")


def chosen_masks(
    mask: Tensor | None, find_mask: bool, photos: Sequence[Image.Image], name: str = "the mask"
) -> list[MaskChoice]:
    """For each photo the mask that is connected, or that one shall be found, or that there is none.

    Raises:
        ToileError: when a mask does not fit its photo, or marks nothing.
    """
    if mask is not None:
        return list(to_masks(mask, photos, name))
    return [AUTO if find_mask else None] * len(photos)


def shown_masks(masks: Sequence[Image.Image | None], photos: Sequence[Image.Image]) -> Tensor:
    """Masks as a batch; none is a whole photo."""
    return from_masks(
        [
            Image.new("L", photo.size, 255) if mask is None else mask
            for mask, photo in zip(masks, photos, strict=True)
        ]
    )


class ToileFindMask(Node):
    """Find Mask: where a garment is, and what else has to be repainted when it changes."""

    TITLE = "Find Mask (toile)"
    DESCRIPTION = "Finds where to repaint a person to change a garment; face, hair and hands stay out."
    RETURN_TYPES = ("MASK",)
    RETURN_NAMES = ("mask",)
    OUTPUT_TOOLTIPS = ("1 where to repaint, of the photo's size.",)

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        photo = image_socket("Photos of one person each.")
        return {"required": {"models": models_socket(), "photo": photo, "category": category_socket()}}

    def run(self, models: Atelier, photo: Tensor, category: str) -> tuple[Tensor]:
        """Find the masks.

        Raises:
            ToileError: when no garment of the category is found.
        """
        photos = to_pictures(photo)
        return (from_masks([found_mask(models, picture.convert("RGB"), category) for picture in photos]),)


def found_mask(models: Atelier, photo: Image.Image, category: str) -> Image.Image:
    """The mask of a photo.

    Raises:
        ToileError: when no garment of the category is found.
    """
    found = models.finder.find(photo, category, (photo.height, photo.width))
    if found is None:
        why = models.finder.problem or f"the parser {models.finder.parser} finds no garment ({category})"
        raise ToileError(f"{why}; choose another category, or paint a mask in the mask editor")
    return found
