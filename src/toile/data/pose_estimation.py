"""A person's joints from a bare photo, by ViTPose."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image
from transformers import VitPoseForPoseEstimation

from toile.data.keypoint_heatmaps import PersonBox, cut_window, locate, person_window
from toile.data.person_detection import DETECTOR, PersonDetector
from toile.data.pose import JOINTS, Pose
from toile.data.pretrained import Processor, load_pretrained, read_config, read_processor
from toile.errors import ToileError
from toile.images import as_photo

VITPOSE = "usyd-community/vitpose-base-simple"
DEFAULT_SIZE = (256, 192)
"""What transformers' ViTPose processor resizes to when a checkpoint does not say."""
COCO_17 = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee",
    "right knee", "left ankle", "right ankle",
)  # fmt: skip
"""The order of COCO's keypoints, which ViTPose's heatmaps follow. Source: COCO's person annotations."""
LEAST_CONFIDENCE = 0.3
"""Less certain joints count as not found. Source: transformers' ViTPose documentation."""
COCO_EXPERT = 0
"""Of ViTPose+'s experts, one for each dataset, the one for COCO. Source: transformers' documentation."""
WHAT = "pose estimator"


class PoseEstimator:
    """Finds the joints of the main person in a photo."""

    def __init__(
        self, model: Any, processor: Processor, detector: PersonDetector | None, device: str = "cpu"
    ) -> None:
        """Keep the parts; `from_pretrained` makes them."""
        self.model, self.processor, self.detector, self.device = model, processor, detector, device

    @classmethod
    def from_pretrained(
        cls, name: str | Path = VITPOSE, *, detector: str | Path | None = DETECTOR, device: str = "cpu"
    ) -> "PoseEstimator":
        """Load a ViTPose and its detector, each from a folder or a hub name.

        Args:
            name: of the ViTPose, of COCO's 17 keypoints.
            detector: of the RT-DETR that finds the person; None takes the whole photo as the person's box.
            device: as torch names it.

        Raises:
            ToileError: when one of them is not there, is another kind of model, or has other keypoints.
        """
        config = read_config(name, WHAT)
        if config.model_type != "vitpose":
            raise ToileError(f"the {WHAT} {name} is a {config.model_type}; give a ViTPose")
        if len(config.id2label) != len(COCO_17):
            raise ToileError(
                f"the {WHAT} {name} has {len(config.id2label)} keypoints; give one of COCO's {len(COCO_17)}"
            )
        model = load_pretrained(VitPoseForPoseEstimation, name, WHAT, device)
        found = None if detector is None else PersonDetector.from_pretrained(detector, device=device)
        return cls(model, read_processor(str(name), DEFAULT_SIZE), found, device)

    def __call__(self, photos: Sequence[Image.Image]) -> list[Pose | None]:
        """The main person's joints, in pixels of each photo; None where nobody is found."""
        upright = [as_photo(photo) for photo in photos]
        boxes: Sequence[PersonBox | None] = (
            [(0.0, 0.0, float(photo.width), float(photo.height)) for photo in upright]
            if self.detector is None
            else self.detector(upright)
        )
        return [
            None if box is None else self.estimate(photo, box)
            for photo, box in zip(upright, boxes, strict=True)
        ]

    @torch.inference_mode()
    def estimate(self, photo: Image.Image, box: PersonBox) -> Pose | None:
        """The joints of the person in a box of an RGB photo; None where none is certain enough."""
        window = person_window(box, self.processor.size)
        view = Image.fromarray(cut_window(np.array(photo), window, self.processor.size))
        pixels = self.processor.pixels([view]).to(self.device)
        several = getattr(self.model.config.backbone_config, "num_experts", 1) > 1
        expert = torch.full((1,), COCO_EXPERT, device=self.device) if several else None
        heatmaps = self.model(pixel_values=pixels, dataset_index=expert).heatmaps[0]  # (17, h, w)
        points = coco_18(locate(heatmaps.float().cpu().numpy(), window), photo.size)
        return Pose(keypoints=points) if points[:, 2].any() else None


def coco_18(points: Float32[np.ndarray, "17 3"], size: tuple[int, int]) -> Float32[np.ndarray, "18 3"]:
    """COCO's keypoints as OpenPose's COCO-18: a neck between the shoulders, zeros where nothing was found.

    Source: OpenPose's COCO-18 defines the neck as the mean of the shoulders.

    Args:
        points: x, y, confidence of each of `COCO_17`.
        size: (width, height) of the photo; points outside it are not found.
    """
    named = dict(zip(COCO_17, points, strict=True))
    shoulders = np.stack([named["left shoulder"], named["right shoulder"]])
    named["neck"] = np.append(shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
    rows = np.stack([named[joint] for joint in JOINTS])
    inside = (rows[:, :2] >= 0).all(axis=1) & (rows[:, :2] <= np.asarray(size) - 1).all(axis=1)
    found = inside & (rows[:, 2] >= LEAST_CONFIDENCE)
    return np.asarray(rows * found[:, None], np.float32)
