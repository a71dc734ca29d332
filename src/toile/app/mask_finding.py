"""A photo and its mask in a tab: the mask is found as soon as there is a photo, and may be painted over."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from toile.app.limits import Limits
from toile.app.mask_painting import Painting, belongs_to, mask_painter, painted_mask, painting
from toile.app.pictures import picture_slot, read_picture
from toile.app.results import error_html, notes_html
from toile.app.workroom import Workroom
from toile.errors import ToileError
from toile.tasks.masks import AUTO, MaskChoice

PAINT_IT = "no such garment is found in the photo: paint over it, or go on without a mask"


@dataclass(frozen=True, kw_only=True)
class MaskedPhoto:
    """A slot for a photo, and its mask beside it."""

    photo: gr.Image
    """Where the photo is dropped."""
    painter: gr.HTML
    """Where the mask is shown and painted."""

    @property
    def inputs(self) -> list[Any]:
        """What a request needs: the photo, and what the painter holds."""
        return [self.photo, self.painter]


def masked_photo(label: str, name: str) -> MaskedPhoto:
    """Draw a slot and the painter of its mask."""
    return MaskedPhoto(photo=picture_slot(label, name), painter=mask_painter(f"{name}-mask"))


def find_masks(
    room: Workroom,
    masked: MaskedPhoto,
    category: Any,
    message: Any,
    only: tuple[Any, str] | None = None,
) -> None:
    """Have the mask found anew whenever the photo or the category changes.

    Args:
        room: finds it.
        masked: the photo.
        category: what is looked for.
        message: says what is wrong with the photo.
        only: a control, and what it has to say for a mask to be needed at all.
    """
    what = f"the {str(masked.photo.label).lower()}"
    control = [] if only is None else [only[0]]

    def find(file: str | None, wanted: str, needed: str | None = None) -> tuple[Any, str]:
        hidden = gr.update(value=None, visible=False)
        if file is None:
            return hidden, ""
        try:
            photo = read_picture(file, what, room.limits)
        except ToileError as error:
            return hidden, error_html(str(error))
        if only is not None and needed != only[1]:
            return hidden, ""
        mask = room.atelier.finder.find(photo, wanted, (photo.height, photo.width))
        shown = painting(photo, mask, belongs_to(file, wanted))
        return gr.update(value=shown, visible=True), "" if mask is not None else notes_html([PAINT_IT])

    gr.on(
        [masked.photo.change, category.change, *(each.change for each in control)],
        find,
        inputs=[masked.photo, category, *control],
        outputs=[masked.painter, message],
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_id="masks",
        concurrency_limit=2,
        api_visibility="private",
    )


def read_masked(
    file: str | None, held: Painting | None, category: str, what: str, limits: Limits
) -> tuple[Image.Image, MaskChoice]:
    """Read a photo and its mask from what `MaskedPhoto.inputs` say.

    Args:
        file: the photo's.
        held: what the painter holds; of another photo or category it counts for nothing.
        category: of the garment.
        what: to call the photo in messages.
        limits: that it has to keep.

    Returns:
        The photo, and a mask of its size, "auto" where nobody painted, or None where all was wiped away.

    Raises:
        ToileError: when the photo is missing, or something cannot be used.
    """
    photo = read_picture(file, what, limits)
    if (
        not isinstance(held, dict)
        or not held.get("painted")
        or held.get("of") != belongs_to(str(file), category)
    ):
        return photo, AUTO
    return photo, painted_mask(held, photo)
