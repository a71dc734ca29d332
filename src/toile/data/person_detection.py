"""Where the person is: the detector that ViTPose needs before it looks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from transformers import AutoModelForObjectDetection

from toile.data.keypoint_heatmaps import PersonBox
from toile.data.pretrained import Processor, load_pretrained, read_config, read_processor
from toile.errors import ToileError
from toile.images import as_photo

DETECTOR = "PekingU/rtdetr_r50vd_coco_o365"
"""RT-DETR with a ResNet-50, the detector of transformers' own ViTPose documentation."""
KINDS = ("rt_detr", "rt_detr_v2")
DEFAULT_SIZE = (640, 640)
"""What transformers' RT-DETR processor resizes to when a checkpoint does not say."""
PERSON = "person"
LEAST_SCORE = 0.3
"""A detection of at least this score counts. Source: transformers' ViTPose documentation."""
WHAT = "person detector"


class PersonDetector:
    """Finds the main person of a photo: the largest one that is found at all (Ours)."""

    def __init__(self, model: Any, person: int, processor: Processor, device: str = "cpu") -> None:
        """Keep the parts; `from_pretrained` makes them. `person` is the number of that label."""
        self.model, self.person, self.processor, self.device = model, person, processor, device

    @classmethod
    def from_pretrained(cls, name: str | Path = DETECTOR, *, device: str = "cpu") -> "PersonDetector":
        """Load an RT-DETR from a folder or a hub name.

        Raises:
            ToileError: when there is none, it is another kind of model, or it knows no persons.
        """
        config = read_config(name, WHAT)
        if config.model_type not in KINDS:
            raise ToileError(f"the {WHAT} {name} is a {config.model_type}; give an RT-DETR")
        people = [number for number, label in config.id2label.items() if label.lower() == PERSON]
        if not people:
            raise ToileError(f"the {WHAT} {name} has no label {PERSON!r}; give one that was trained on COCO")
        model = load_pretrained(AutoModelForObjectDetection, name, WHAT, device)
        return cls(model, people[0], read_processor(str(name), DEFAULT_SIZE), device)

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Image.Image]) -> list[PersonBox | None]:
        """For each photo the main person's box, in pixels; None where nobody is found."""
        if not photos:
            return []
        pictures = [self.processor.squeezed(as_photo(photo)) for photo in photos]
        output = self.model(pixel_values=self.processor.pixels(pictures).to(self.device))
        scores = output.logits.float().sigmoid()[..., self.person]  # (B, Q)
        return [
            main_box(boxes.float().cpu(), certain.cpu(), photo.size)
            for boxes, certain, photo in zip(output.pred_boxes, scores, photos, strict=True)
        ]


def main_box(
    boxes: Float[Tensor, "Q 4"], scores: Float[Tensor, " Q"], size: tuple[int, int]
) -> PersonBox | None:
    """The largest of the boxes that are certain enough.

    Args:
        boxes: middle x, middle y, width, height, as shares of the photo.
        scores: of each box, in [0, 1].
        size: (width, height) of the photo.
    """
    certain = boxes[scores >= LEAST_SCORE]
    if not len(certain):
        return None
    x, y, width, height = (float(value) for value in certain[(certain[:, 2] * certain[:, 3]).argmax()])
    left, right = (min(max(x + side * width / 2, 0.0), 1.0) * size[0] for side in (-1, 1))
    top, bottom = (min(max(y + side * height / 2, 0.0), 1.0) * size[1] for side in (-1, 1))
    return (left, top, right, bottom) if right - left >= 1 and bottom - top >= 1 else None
