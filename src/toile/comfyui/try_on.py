"""The node that dresses persons in garments, by TWGTM."""

from PIL import Image
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
    switch_socket,
    whole_socket,
)
from toile.comfyui.pictures import from_pictures, repeated, to_pictures
from toile.comfyui.regions import chosen_masks, find_mask_socket, shown_masks
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.result import Result
from toile.tasks.tryon import TryOnRequest

MOST_CANDIDATES = 64
REPAINT = "Keep the photo's own pixels outside of the mask, but for a soft edge."
USUAL_PLACE = "a box over the category's usual place is repainted"


class ToileTryOn(Node):
    """Try On: persons and flat garments in, the persons in the garments out."""

    TITLE = "Try Garment On (toile)"
    DESCRIPTION = "Dresses the person of a photo in a garment (TWGTM); keeps the best of several candidates."
    RETURN_TYPES = ("IMAGE", "MASK", "IMAGE", "STRING")
    RETURN_NAMES = ("worn", "mask", "candidates", "notes")
    OUTPUT_TOOLTIPS = (
        "The persons in the garments.",
        "The masks that were repainted.",
        "Every candidate, by its seed.",
        "Remarks, a line each; of candidates how far the garment is that comes back when it is taken off.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        candidates = "Seeds to try; the one whose garment comes back best is kept."
        required = {
            "models": models_socket(),
            "person": image_socket("Photos of one person each."),
            "garment": image_socket("The flat garments, on white."),
            "category": category_socket(),
            **drawing_sockets(TWGTM_DRAWING),
            "candidates": whole_socket(1, 1, MOST_CANDIDATES, candidates),
            "repaint": switch_socket(True, REPAINT),
            "find_mask": find_mask_socket(USUAL_PLACE),
        }
        mask = mask_socket("Where to repaint the person.")
        return {"required": required, "optional": {"mask": mask, **size_sockets()}}

    def run(
        self,
        models: Atelier,
        person: Tensor,
        garment: Tensor,
        category: str,
        seed: int,
        steps: int,
        guidance: float,
        candidates: int,
        repaint: bool,
        find_mask: bool,
        mask: Tensor | None = None,
        height: int = 0,
        width: int = 0,
    ) -> tuple[Tensor, Tensor, Tensor, str]:
        """Try on a batch.

        Raises:
            ToileError: when a picture, the mask, a setting or the model is wrong.
        """
        persons, garments = to_pictures(person, "the person"), to_pictures(garment, "the garment")
        count = max(len(persons), len(garments))
        persons, garments = repeated(persons, count, "the person"), repeated(garments, count, "the garment")
        drawing, masks = (
            drawing_of(steps, guidance, height, width),
            chosen_masks(mask, find_mask, persons),
        )
        requests = [
            TryOnRequest(
                person=persons[index],
                garment=garments[index],
                mask=masks[index],
                category=category,
                repaint=repaint,
                candidates=candidates,
                seed=seed + index * candidates,
                drawing=drawing,
            )
            for index in range(count)
        ]
        done = run_batch(models, requests)
        used = shown_masks([result.pictures["mask"] for result in done], persons)
        tried = from_pictures([picture for result in done for picture in _candidates(result)])
        return from_pictures([result.main for result in done]), used, tried, notes_of(done)


def _candidates(result: Result) -> list[Image.Image]:
    """The pictures of every seed, in their order; of a single one the result."""
    return [result.candidates[seed] for seed in sorted(result.candidates)] or [result.main]
