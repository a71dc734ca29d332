"""The round trip: what was tried on is taken off again and compared with the garment, to rank several seeds.

Legend: `B` batch, `H W` pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from toile.data.picture_files import silhouette_of
from toile.diffusion.noise import item_generators
from toile.diffusion.photos import MASKS, PHOTOS, Picture
from toile.diffusion.system_pipeline import StepEnd
from toile.errors import ToileError
from toile.images import as_photo, fit
from toile.twgtm.panels import bounding_box
from toile.twgtm.pipeline import TWGTMPipeline

SCALES = (1, 4)
"""Pixels that are averaged before pictures are compared (Ours)."""


@dataclass(frozen=True, kw_only=True)
class RoundTrip:
    """The best of several try-ons, as the model itself judges them."""

    images: Mapping[int, Image.Image]
    """The try-on of every seed, in the order given."""
    seed: int
    """The seed whose garment came back nearest to the true one."""
    distances: Mapping[int, float]
    """Of every seed: how far the garment that came back is from the true one."""

    @property
    def image(self) -> Image.Image:
        """The best try-on."""
        return self.images[self.seed]

    @property
    def gain(self) -> float:
        """By which share the distance that was kept is less than the mean of all."""
        mean = fmean(self.distances.values())
        return 1 - self.distances[self.seed] / mean if mean > 0 else 0.0


@torch.no_grad()
def best_of(
    pipeline: TWGTMPipeline,
    person: Picture,
    garment: Picture,
    mask: Picture,
    category: str = "upper",
    seeds: Sequence[int] = (0, 1, 2, 3),
    num_inference_steps: int | None = None,
    guidance_scale: float = 2.5,
    height: int | None = None,
    width: int | None = None,
    repaint: bool = False,
    callback_on_step_end: StepEnd | None = None,
) -> RoundTrip:
    """Try a garment on with several seeds, take it off again each time, and keep the best.

    Ours: no paper does this. The same model takes off, from the noise of the first seed for all of them, and
    in the rectangle around the garment, so that what comes back lies where the garment lies.

    Args:
        pipeline: goes both ways.
        person: one photo; as for `try_on`, and so all that is not named here.
        garment: one flat garment.
        mask: of the photo.
        category: of the garment.
        seeds: one for each candidate, all different; a candidate is the same picture as `try_on` makes.
        num_inference_steps: of each way; None takes the model's own.
        guidance_scale: likewise.
        height: likewise.
        width: likewise.
        repaint: whether candidates keep the photo's own pixels, before they are judged.
        callback_on_step_end: is called in both directions.

    Raises:
        ToileError: when there is no seed, or one twice, or the arguments do not fit together.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ToileError(f"seeds are {list(seeds)}; give at least one, and each one once")
    size = pipeline.check_size(height, width)
    flat = fit(as_photo(garment), size)[0]
    settings: dict[str, Any] = {
        "num_inference_steps": num_inference_steps,
        "guidance_scale": guidance_scale,
        "height": size[0],
        "width": size[1],
        "callback_on_step_end": callback_on_step_end,
    }
    wardrobe = pipeline.encode_reference(flat, category, *size)
    images: dict[int, Image.Image] = {}
    distances: dict[int, float] = {}
    for seed in seeds:
        worn = pipeline.try_on(
            person,
            garment,
            mask,
            category,
            generator=item_generators([seed]),
            wardrobe=wardrobe,
            repaint=repaint,
            **settings,
        )
        images[seed] = worn.images[0]
        distances[seed] = distance_back(pipeline, images[seed], flat, category, seed=seeds[0], **settings)
    best = min(distances, key=distances.__getitem__)
    return RoundTrip(images=images, seed=best, distances=distances)


@torch.no_grad()
def distance_back(
    pipeline: TWGTMPipeline,
    worn: Image.Image,
    garment: Image.Image,
    category: str,
    *,
    seed: int = 0,
    num_inference_steps: int | None = None,
    guidance_scale: float = 2.5,
    height: int | None = None,
    width: int | None = None,
    callback_on_step_end: StepEnd | None = None,
) -> float:
    """Take a garment off again, in the rectangle where it should lie, and compare it (`garment_distance`).

    Args:
        pipeline: takes off.
        worn: a picture of a person in the garment, perhaps a generated one.
        garment: the flat garment, fitted to the pipeline's size.
        category: of the garment.
        seed: of the noise that it is taken off from.
        num_inference_steps: denoising steps; None takes the model's own.
        guidance_scale: guidance.
        height: in pixels; None takes the pipeline's own.
        width: likewise.
        callback_on_step_end: is called after each step.
    """
    size = pipeline.check_size(height, width)
    flat = fit(garment, size)[0]
    true, silhouette = _comparable(flat), MASKS.preprocess(silhouette_of(flat))  # (1 3 H W), (1 1 H W)
    white = not silhouette.any()  # a garment as white as its ground has no silhouette that can be seen
    back = pipeline.take_off(
        worn,
        category,
        box=None if white else bounding_box(silhouette[0]),
        generator=item_generators([seed]),
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
        height=size[0],
        width=size[1],
        callback_on_step_end=callback_on_step_end,
    )
    region = torch.ones_like(silhouette) if white else silhouette
    return float(garment_distance(_comparable(back.images[0]), true, region))


def garment_distance(
    returned: Float[Tensor, "B 3 H W"],
    garments: Float[Tensor, "B 3 H W"],
    silhouettes: Float[Tensor, "B 1 H W"],
) -> Float[Tensor, " B"]:
    """How far garments that came back are from the true ones, 0 when they are equal.

    Ours: the absolute error of all pixels, for each pixel of the garment, so that a piece too much counts as
    much as a piece that is missing. The mean of two such figures, as the pictures are and with 4×4 pixels
    averaged: in the second a print that lies a pixel off still counts as being there.

    Args:
        returned: RGB in [0, 1].
        garments: likewise, on white.
        silhouettes: of the true garments, 1 inside.

    Raises:
        ToileError: when a silhouette is empty.
    """
    area = silhouettes.sum(dim=(1, 2, 3))  # (B,)
    if not (area > 0).all():
        raise ToileError("a silhouette is empty; mark the garment's pixels with 1")
    found = []
    for scale in SCALES:
        errors = (avg_pool2d(returned, scale) - avg_pool2d(garments, scale)).abs()  # (B 3 H/s W/s)
        found.append(errors.sum(dim=(1, 2, 3)) * scale**2 / (3 * area))
    return torch.stack(found).mean(dim=0)


def _comparable(picture: Image.Image) -> Float[Tensor, "1 3 H W"]:
    """RGB in [0, 1]."""
    tensor: Tensor = PHOTOS.preprocess(picture)
    return tensor / 2 + 0.5
