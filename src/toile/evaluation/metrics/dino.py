"""DINO similarity: do two pictures show the same thing, to a network that learnt to see without labels?

Legend: `B` samples or pictures, `D` numbers of a vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64
from PIL import Image
from transformers import AutoModel, PreTrainedModel
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from toile.errors import ToileError
from toile.evaluation.metrics.clip import cosines
from toile.evaluation.metrics.needs import check_needs
from toile.evaluation.metrics.resizing import normalised, square_crop
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import MetricSpec

SHORTER, SIDE = 256, 224
"""Pixels of the shorter side, and of the square cut from the middle: DINO's and DINOv2's evaluation."""


class DinoEncoder:
    """The class token of DINO (ViT-S/16) or DINOv2, after the last norm."""

    def __init__(self, model: PreTrainedModel, device: str = "cpu") -> None:
        """Keep the model, frozen."""
        self.model = model.to(device).eval().requires_grad_(False)
        self.device = device

    @classmethod
    def from_pretrained(cls, source: str | Path, device: str = "cpu") -> "DinoEncoder":
        """Load a model by folder or hub name, such as facebook/dino-vits16 or facebook/dinov2-base.

        Raises:
            ToileError: when it cannot be loaded, or is no ViT.
        """
        try:
            model = AutoModel.from_pretrained(source, use_safetensors=True)
        except (OSError, ValueError, RuntimeError) as error:
            line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ToileError(f"no DINO model could be loaded from {source}: {line}") from error
        if model.config.model_type not in ("vit", "dinov2", "dinov2_with_registers"):
            raise ToileError(
                f"{source} is a {model.config.model_type}, no DINO model; give facebook/dino-vits16 "
                "or facebook/dinov2-base"
            )
        return cls(model, device)

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B D"]:
        """One vector a picture (RGB)."""
        crops = [square_crop(picture, SIDE, shorter=SHORTER) for picture in pictures]
        views = normalised(crops, IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD).to(self.device)
        extra = {"interpolate_pos_encoding": True} if self.model.config.model_type == "vit" else {}
        states = self.model(pixel_values=views, **extra).last_hidden_state[:, 0]
        array: np.ndarray = states.float().cpu().numpy()
        return array


SIMILARITY = MetricSpec(
    name="DINO",
    higher_is_better=True,
    low=-1,
    high=1,
    needs=frozenset({"target"}),
    definition="cosine of the class tokens of prediction and target (shorter side 256, middle 224×224)",
    backbone="dino",
)


@dataclass(frozen=True, kw_only=True)
class DinoSimilarity:
    """The cosine of the class tokens of prediction and target."""

    encoder: DinoEncoder
    """Gives the class tokens."""
    spec: MetricSpec = SIMILARITY
    """What it is called."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One cosine a sample.

        Raises:
            ToileError: when a sample has no target.
        """
        check_needs(self.spec, samples)
        predictions = self.encoder([sample.prediction for sample in samples])
        targets = self.encoder([sample.target for sample in samples if sample.target is not None])
        return cosines(predictions, targets)
