"""CLIP's view of pictures and prompts: CLIP-T, CLIP-I, CLIP-I*, and the features of CLIP-FID.

Legend: `B` samples or pictures, `D` numbers of an embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int
from PIL import Image
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizerFast

from toile.errors import ToileError
from toile.evaluation.metrics.needs import check_needs
from toile.evaluation.metrics.resizing import normalised, padded_square, square_crop
from toile.evaluation.metrics.sample import Sample, WornGarment
from toile.evaluation.metrics.spec import MetricSpec

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of RGB in [0, 1], as every CLIP and OpenCLIP model wants pictures (Radford et al. 2021)."""


TEXT = MetricSpec(
    name="CLIP-T",
    higher_is_better=True,
    low=-1,
    high=1,
    needs=frozenset({"prompt"}),
    definition="cosine of the CLIP embeddings of picture and prompt (77 tokens at most)",
    backbone="clip",
)
IMAGE = MetricSpec(
    name="CLIP-I",
    higher_is_better=True,
    low=-1,
    high=1,
    needs=frozenset({"garments"}),
    definition="cosine of the CLIP embeddings of the whole prediction and of the flat garment, "
    "averaged over a sample's garments",
    backbone="clip",
)
REGIONS = MetricSpec(
    name="CLIP-I*",
    higher_is_better=True,
    low=-1,
    high=1,
    needs=frozenset({"garments", "regions"}),
    definition="cosine of the CLIP embeddings of the region where a garment is worn (cut to its box, "
    "white outside, padded to a square) and of the flat garment (padded likewise), averaged over a "
    "sample's garments; an empty region counts 0",
    backbone="clip",
)


class ClipEncoder:
    """Embeds pictures and prompts; embeddings are not normalised."""

    def __init__(self, model: CLIPModel, tokenizer: CLIPTokenizerFast, device: str = "cpu") -> None:
        """Keep the model, frozen."""
        self.model = model.to(device).eval().requires_grad_(False)
        self.tokenizer, self.device = tokenizer, device

    @classmethod
    def from_pretrained(cls, source: str | Path, device: str = "cpu") -> "ClipEncoder":
        """Load a model by folder or hub name.

        Raises:
            ToileError: when it cannot be loaded.
        """
        try:
            model = CLIPModel.from_pretrained(source, use_safetensors=True)
            return cls(model, CLIPTokenizerFast.from_pretrained(source), device)
        except (OSError, ValueError, RuntimeError) as error:
            raise ToileError(f"no CLIP model could be loaded from {source}: {_line(error)}") from error

    @property
    def dimension(self) -> int:
        """How many numbers an embedding has."""
        return int(self.model.config.projection_dim)

    @torch.no_grad()
    def pictures(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B D"]:
        """One embedding a picture (RGB): its middle, the shorter side resized as CLIP does it."""
        side = int(self.model.config.vision_config.image_size)
        views = normalised([square_crop(picture, side) for picture in pictures], MEAN, DEVIATION)
        states = self.model.vision_model(pixel_values=views.to(self.device)).pooler_output
        return _as_array(self.model.visual_projection(states))

    @torch.no_grad()
    def prompts(self, prompts: Sequence[str]) -> Float32[np.ndarray, "B D"]:
        """One embedding a prompt; what lies beyond CLIP's 77 tokens is cut off."""
        tokens = self.tokenizer(
            list(prompts), padding=True, truncation=True, max_length=_context(self.model), return_tensors="pt"
        ).to(self.device)
        states = self.model.text_model(**tokens).pooler_output
        return _as_array(self.model.text_projection(states))


@dataclass(frozen=True, kw_only=True)
class ClipFeatures:
    """CLIP-FID's vectors, as clean-fid computes them: image embeddings, not normalised."""

    encoder: ClipEncoder
    """Of ViT-B/32 for the published figures."""
    name: str = "clip"
    """The extractor's name."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self.encoder.dimension

    def __call__(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B D"]:
        """One vector a picture."""
        return self.encoder.pictures(pictures)


@dataclass(frozen=True, kw_only=True)
class ClipText:
    """CLIP-T: does the picture show what the prompt says?"""

    encoder: ClipEncoder
    """Embeds both."""
    spec: MetricSpec = TEXT
    """What it is called."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One cosine a sample.

        Raises:
            ToileError: when a sample has no prompt.
        """
        check_needs(self.spec, samples)
        pictures = self.encoder.pictures([sample.prediction for sample in samples])
        return cosines(pictures, self.encoder.prompts([sample.prompt or "" for sample in samples]))


@dataclass(frozen=True, kw_only=True)
class ClipImage:
    """CLIP-I: is the garment in the picture? The whole prediction against the flat garment."""

    encoder: ClipEncoder
    """Embeds both."""
    spec: MetricSpec = IMAGE
    """What it is called."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One mean cosine a sample.

        Raises:
            ToileError: when a sample has no garments.
        """
        check_needs(self.spec, samples)
        rows = rows_of_garments(samples)
        whole = self.encoder.pictures([sample.prediction for sample in samples])
        flat = self.encoder.pictures([garment.picture for sample in samples for garment in sample.garments])
        return mean_by_row(cosines(whole[rows], flat), rows, len(samples))


@dataclass(frozen=True, kw_only=True)
class ClipRegions:
    """CLIP-I*: CLIP-I of every garment against the part of the picture where it is worn."""

    encoder: ClipEncoder
    """Embeds both."""
    spec: MetricSpec = REGIONS
    """What it is called."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One mean cosine a sample.

        Paper: AnyDressing finds "the matching partitions of the reference garments in the synthesized image"
        by OpenPose and averages their CLIP-I. Ours: the region is any mask, so that parsing may find it;
        what surrounds it is white, as around the flat garment; a garment that is nowhere counts 0.

        Raises:
            ToileError: when a sample has no garments, or one whose region is not known.
        """
        check_needs(self.spec, samples)
        worn = [(sample.prediction, garment) for sample in samples for garment in sample.garments]
        parts = [region_view(prediction, garment) for prediction, garment in worn]
        found = [number for number, part in enumerate(parts) if part is not None]
        values = np.zeros(len(worn))
        if found:
            views = self.encoder.pictures([part for part in parts if part is not None])
            flat = self.encoder.pictures([padded_square(worn[number][1].picture) for number in found])
            values[found] = cosines(views, flat)
        return mean_by_row(values, rows_of_garments(samples), len(samples))


def rows_of_garments(samples: Sequence[Sample]) -> Int[np.ndarray, " _"]:
    """For every garment of every sample in turn, the number of its sample."""
    return np.array([row for row, sample in enumerate(samples) for _ in sample.garments], dtype=np.int64)


def region_view(picture: Image.Image, garment: WornGarment) -> Image.Image | None:
    """The region where a garment is worn, cut to its box and padded to a square, white outside; or None."""
    if garment.region is None:
        return None
    inside = garment.region.point(lambda value: 255 * (value > 127))
    box = inside.getbbox()
    if box is None:
        return None
    shown = Image.composite(picture, Image.new("RGB", picture.size, (255, 255, 255)), inside)
    return padded_square(shown.crop(box))


def cosines(
    first: Float32[np.ndarray, "B D"], second: Float32[np.ndarray, "B D"]
) -> Float64[np.ndarray, " B"]:
    """The cosine of each pair of vectors, in [-1, 1]."""
    x, y = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    clipped: np.ndarray = ((x * y).sum(axis=1) / np.maximum(lengths, 1e-12)).clip(-1, 1)
    return clipped


def mean_by_row(
    values: Float64[np.ndarray, " _"], rows: Int[np.ndarray, " _"], count: int
) -> Float64[np.ndarray, " B"]:
    """The mean of the values that belong to each of `count` samples, of which each has one."""
    means: np.ndarray = np.bincount(rows, values, count) / np.bincount(rows, minlength=count)
    return means


def _context(model: CLIPModel) -> int:
    return int(model.config.text_config.max_position_embeddings)


def _as_array(embeddings: Tensor) -> Float32[np.ndarray, "B D"]:
    array: np.ndarray = embeddings.float().cpu().numpy()
    return array


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
