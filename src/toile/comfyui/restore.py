"""The node that restores flat garments from photos, by IGR."""

from torch import Tensor

from toile.comfyui.node import (
    Node,
    Sockets,
    category_socket,
    drawing_of,
    drawing_sockets,
    image_socket,
    mask_socket,
    models_socket,
    notes_of,
    run_batch,
    size_sockets,
)
from toile.comfyui.pictures import from_pictures, to_pictures
from toile.comfyui.regions import chosen_masks, find_mask_socket, shown_masks
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import IGR_DRAWING
from toile.tasks.restore import RestoreRequest


class ToileRestore(Node):
    """Restore: photos of persons in, their flat garments out."""

    TITLE = "Restore Garment (toile)"
    DESCRIPTION = "Restores the flat garment, on white, from a photo of a person who wears it (IGR)."
    RETURN_TYPES = ("IMAGE", "MASK", "STRING")
    RETURN_NAMES = ("garment", "mask", "notes")
    OUTPUT_TOOLTIPS = ("The flat garments.", "The masks that were used.", "Remarks, a line each.")

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        required = {
            "models": models_socket(),
            "photo": image_socket("Photos of one person each."),
            "category": category_socket(),
            **drawing_sockets(IGR_DRAWING),
            "find_mask": find_mask_socket("the whole photo counts as the garment's region"),
        }
        mask = mask_socket("Where the garment is, sleeves and all.")
        return {"required": required, "optional": {"mask": mask, **size_sockets()}}

    def run(
        self,
        models: Atelier,
        photo: Tensor,
        category: str,
        seed: int,
        steps: int,
        guidance: float,
        find_mask: bool,
        mask: Tensor | None = None,
        height: int = 0,
        width: int = 0,
    ) -> tuple[Tensor, Tensor, str]:
        """Restore a batch.

        Raises:
            ToileError: when a picture, the mask, a setting or the model is wrong.
        """
        photos, drawing = to_pictures(photo), drawing_of(steps, guidance, height, width)
        requests = [
            RestoreRequest(photo=picture, mask=own, category=category, seed=seed + index, drawing=drawing)
            for index, (picture, own) in enumerate(
                zip(photos, chosen_masks(mask, find_mask, photos), strict=True)
            )
        ]
        done = run_batch(models, requests)
        used = shown_masks([result.pictures.get("mask") for result in done], photos)
        return from_pictures([result.main for result in done]), used, notes_of(done)
