"""The node that draws somebody who wears a wardrobe, by AnyDressing."""

from torch import Tensor

from toile.comfyui.node import (
    WARDROBE,
    Node,
    Sockets,
    drawing_of,
    drawing_sockets,
    models_socket,
    number_socket,
    run_batch,
    size_sockets,
    text_socket,
    whole_socket,
)
from toile.comfyui.pictures import from_pictures
from toile.comfyui.wardrobe import Outfit
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import ANYDRESSING_DRAWING
from toile.tasks.dress import MOST_SCALE, SCALE, DressRequest

MOST_PICTURES = 64


class ToileDress(Node):
    """Dress: a wardrobe and a prompt in, somebody who wears it out."""

    TITLE = "Dress by Prompt (toile)"
    DESCRIPTION = "Draws somebody who wears a wardrobe, in the scene and pose of a prompt (AnyDressing)."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("dressed",)
    OUTPUT_TOOLTIPS = ("A batch of pictures, each from its own seed.",)

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        required = {
            "models": models_socket(),
            "wardrobe": (WARDROBE, {"tooltip": "From Encode Garment or Wear Kept Outfit."}),
            "prompt": text_socket("a woman in the street", "Who, where, in which pose.", multiline=True),
            "negative_prompt": text_socket("", "What is not to be drawn.", multiline=True),
            "scale": number_socket(SCALE, 0, MOST_SCALE, "How much the garments count; 0 leaves them away."),
            **drawing_sockets(ANYDRESSING_DRAWING),
            "pictures": whole_socket(1, 1, MOST_PICTURES, "How many, with seeds from the seed on."),
        }
        return {"required": required, "optional": size_sockets()}

    def run(
        self,
        models: Atelier,
        wardrobe: Outfit,
        prompt: str,
        negative_prompt: str,
        scale: float,
        seed: int,
        steps: int,
        guidance: float,
        pictures: int,
        height: int = 0,
        width: int = 0,
    ) -> tuple[Tensor]:
        """Draw a batch.

        Raises:
            ToileError: when the wardrobe, a setting or the model is wrong.
        """
        drawing = drawing_of(steps, guidance, height, width)
        requests = [
            DressRequest(
                garments=wardrobe.by_kind(),
                wear=wardrobe.wear,
                prompt=prompt,
                negative_prompt=negative_prompt,
                scale=scale,
                seed=seed + index,
                drawing=drawing,
            )
            for index in range(pictures)
        ]
        return (from_pictures([result.main for result in run_batch(models, requests)]),)
