"""The node that takes garments off persons, by TWGTM."""

from PIL import Image
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
    run_batch,
    size_sockets,
)
from toile.comfyui.pictures import from_masks, from_pictures, to_masks, to_pictures
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.takeoff import PREDICTED, BoxChoice, TakeOffRequest

ANYWHERE = "anywhere"


class ToileTakeOff(Node):
    """Take Off: photos of persons in, their flat garments out; no mask is needed."""

    TITLE = "Take Garment Off (toile)"
    DESCRIPTION = "Restores the flat garment, on white, from a photo of a person, without any mask (TWGTM)."
    RETURN_TYPES = ("IMAGE", "MASK")
    RETURN_NAMES = ("garment", "silhouette")
    OUTPUT_TOOLTIPS = ("The flat garments.", "Where the model predicts that they lie.")

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        where = "Where in the result the garment may lie: anywhere, or where the model predicts."
        required = {
            "models": models_socket(),
            "photo": image_socket("Photos of one person each."),
            "category": category_socket(),
            **drawing_sockets(TWGTM_DRAWING),
            "where": choice_socket((ANYWHERE, PREDICTED), where),
        }
        place = mask_socket(
            "The garment shall lie in this mask's bounding box, in the result; replaces where."
        )
        return {"required": required, "optional": {"place": place, **size_sockets()}}

    def run(
        self,
        models: Atelier,
        photo: Tensor,
        category: str,
        seed: int,
        steps: int,
        guidance: float,
        where: str,
        place: Tensor | None = None,
        height: int = 0,
        width: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Take off a batch.

        Raises:
            ToileError: when a picture, the place, a setting or the model is wrong.
        """
        photos, drawing = to_pictures(photo), drawing_of(steps, guidance, height, width)
        boxes: list[BoxChoice] = [PREDICTED if where == PREDICTED else None] * len(photos)
        if place is not None:
            canvas = Image.new("L", (drawing.size or models.canvas("twgtm"))[::-1])
            boxes = [bounding_box(mask) for mask in to_masks(place, [canvas] * len(photos), "the place")]
        requests = [
            TakeOffRequest(
                photo=picture,
                category=category,
                box=box,
                silhouette=True,
                seed=seed + index,
                drawing=drawing,
            )
            for index, (picture, box) in enumerate(zip(photos, boxes, strict=True))
        ]
        done = run_batch(models, requests)
        silhouettes = from_masks([result.pictures["silhouette"] for result in done])
        return from_pictures([result.main for result in done]), silhouettes


def bounding_box(mask: Image.Image) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what a mask marks; all of it when that is nothing, which `to_masks` refuses."""
    return mask.point(lambda value: 255 * (value > 127)).getbbox() or (0, 0, *mask.size)
