"""The node that puts what one person wears on another."""

from torch import Tensor

from toile.comfyui.node import (
    Node,
    Sockets,
    category_socket,
    choice_socket,
    drawing_of,
    drawing_sockets,
    image_socket,
    mask_socket,
    models_socket,
    notes_of,
    run_batch,
    size_sockets,
    switch_socket,
)
from toile.comfyui.pictures import from_pictures, repeated, to_pictures
from toile.comfyui.regions import chosen_masks, find_mask_socket, shown_masks
from toile.comfyui.try_on import REPAINT, USUAL_PLACE
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.swap import THROUGH, SwapRequest


class ToileSwap(Node):
    """Swap: wearers and targets in, the targets in the wearers' garments out."""

    TITLE = "Swap Garment (toile)"
    DESCRIPTION = "Restores the garment that one person wears, flat, and tries it on another one."
    RETURN_TYPES = ("IMAGE", "IMAGE", "MASK", "STRING")
    RETURN_NAMES = ("worn", "garment", "mask", "notes")
    OUTPUT_TOOLTIPS = (
        "The targets in the garments.",
        "The flat garments in between.",
        "The masks that were repainted.",
        "Remarks, a line each.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        through = "What restores the garment: twgtm, or igr, which has its own usual guidance."
        required = {
            "models": models_socket(),
            "wearer": image_socket("Photos of the persons who have the garments on."),
            "target": image_socket("Photos of the persons who are to have them on."),
            "category": category_socket(),
            **drawing_sockets(TWGTM_DRAWING),
            "through": choice_socket(tuple(reversed(THROUGH)), through),
            "repaint": switch_socket(True, REPAINT),
            "find_mask": find_mask_socket(USUAL_PLACE),
        }
        masks = {
            "wearer_mask": mask_socket("Where the wearer's garment is; read by igr alone."),
            "target_mask": mask_socket("Where to repaint the target."),
        }
        return {"required": required, "optional": {**masks, **size_sockets()}}

    def run(
        self,
        models: Atelier,
        wearer: Tensor,
        target: Tensor,
        category: str,
        seed: int,
        steps: int,
        guidance: float,
        through: str,
        repaint: bool,
        find_mask: bool,
        wearer_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
        height: int = 0,
        width: int = 0,
    ) -> tuple[Tensor, Tensor, Tensor, str]:
        """Swap a batch.

        Raises:
            ToileError: when a picture, a mask, a setting or a model is wrong.
        """
        wearers, targets = to_pictures(wearer, "the wearer"), to_pictures(target, "the target")
        count = max(len(wearers), len(targets))
        wearers, targets = repeated(wearers, count, "the wearer"), repeated(targets, count, "the target")
        drawing = drawing_of(steps, guidance, height, width)
        wearer_masks = chosen_masks(wearer_mask, find_mask, wearers, "the wearer's mask")
        target_masks = chosen_masks(target_mask, find_mask, targets, "the target's mask")
        requests = [
            SwapRequest(
                wearer=wearers[index],
                target=targets[index],
                category=category,
                through=through,
                wearer_mask=wearer_masks[index],
                target_mask=target_masks[index],
                repaint=repaint,
                seed=seed + index,
                drawing=drawing,
            )
            for index in range(count)
        ]
        done = run_batch(models, requests)
        garments = from_pictures([result.pictures["garment"] for result in done])
        used = shown_masks([result.pictures["mask"] for result in done], targets)
        return from_pictures([result.main for result in done]), garments, used, notes_of(done)
