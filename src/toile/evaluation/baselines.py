"""What a restoration has to beat. Each baseline gets as fair a chance as the model; oracles are named so.

A method takes pairs and gives their restored garments as RGB pictures of `size`, one for each, in order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image
from tqdm import tqdm

from toile.data.curation import bounding_box
from toile.data.record import CATEGORIES, Category, GarmentPair
from toile.errors import ToileError
from toile.images import Box, fit, fit_mask

Method = Callable[[Sequence[GarmentPair]], list[Image.Image]]

LOOK = (32, 24)
"""Height and width of what the nearest garment is searched by."""


@dataclass(frozen=True, kw_only=True)
class TrainingGarments:
    """What baselines know of the training pairs. H W: the pictures' size, N: pairs, h w: `LOOK`."""

    pairs: Sequence[GarmentPair]
    """The pairs themselves."""
    mean: Mapping[Category, UInt8[np.ndarray, "H W 3"]]
    """Each category's mean flat garment."""
    box: Mapping[Category, Box]
    """Each category's mean bounding box of the silhouettes: left, top, right, bottom."""
    indices: Mapping[Category, list[int]]
    """Which pairs are of each category."""
    looks: Mapping[Category, Float32[np.ndarray, "N h w 3"]]
    """How the masked photos of those pairs look, small (see `masked_look`)."""


def study(pairs: Sequence[GarmentPair], size: tuple[int, int]) -> TrainingGarments:
    """Look at the training pairs once; pictures are of `size`, (height, width).

    Raises:
        ToileError: when a category has no pair with a garment.
    """
    garments = {name: np.zeros((*size, 3)) for name in CATEGORIES}
    boxes: dict[Category, list[Box]] = {name: [] for name in CATEGORIES}
    looks: dict[Category, list[Float32[np.ndarray, "h w 3"]]] = {name: [] for name in CATEGORIES}
    indices: dict[Category, list[int]] = {name: [] for name in CATEGORIES}
    for index in tqdm(range(len(pairs)), desc="studying the training garments", disable=None):
        pair = pairs[index]
        box = bounding_box(np.asarray(fit_mask(pair.silhouette, size)))
        if box is None:
            continue
        garments[pair.category] += np.asarray(fit(pair.garment, size)[0], dtype=np.float64)
        boxes[pair.category].append(box)
        looks[pair.category].append(masked_look(pair.person, pair.mask))
        indices[pair.category].append(index)
    present: list[Category] = [name for name in CATEGORIES if indices[name]]
    if not present:
        raise ToileError(f"none of the {len(pairs)} training pairs shows a garment")
    return TrainingGarments(
        pairs=pairs,
        mean={name: np.round(garments[name] / len(boxes[name])).astype(np.uint8) for name in present},
        box={name: _mean_box(boxes[name]) for name in present},
        indices={name: indices[name] for name in present},
        looks={name: np.stack(looks[name]) for name in present},
    )


def _mean_box(boxes: list[Box]) -> Box:
    left, top, right, bottom = (round(float(edge)) for edge in np.mean(boxes, axis=0))
    return left, top, right, bottom


def _known(training: TrainingGarments, category: Category) -> Category:
    if category not in training.mean:
        raise ToileError(
            f"no training garment is of the category {category!r}; give training pairs that have some"
        )
    return category


def masked_crop(person: Image.Image, mask: Image.Image) -> Image.Image:
    """The photo where the mask is, on white, cut at the mask's bounding box (all of it for an empty mask)."""
    box = bounding_box(np.asarray(mask)) or (0, 0, *person.size)
    return Image.composite(person, Image.new("RGB", person.size, "white"), mask).crop(box)


def masked_look(person: Image.Image, mask: Image.Image) -> Float32[np.ndarray, "h w 3"]:
    """The masked crop, fitted into `LOOK`, in [0, 1]: where in the photo the garment is does not matter."""
    return np.asarray(fit(masked_crop(person, mask), LOOK)[0], dtype=np.float32) / 255


def crop_and_paste(size: tuple[int, int]) -> Method:
    """The masked photo on white, enlarged at its own aspect until it fills the canvas."""

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [fit(masked_crop(pair.person, pair.mask), size)[0] for pair in pairs]

    return restore


def crop_and_place(training: TrainingGarments, size: tuple[int, int]) -> Method:
    """The masked photo on white, fitted into the mean box of the category's training garments."""

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [_placed(pair, training.box[_known(training, pair.category)], size) for pair in pairs]

    return restore


def _placed(pair: GarmentPair, box: Box, size: tuple[int, int]) -> Image.Image:
    canvas = Image.new("RGB", (size[1], size[0]), "white")
    inner = max(box[3] - box[1], 1), max(box[2] - box[0], 1)
    canvas.paste(fit(masked_crop(pair.person, pair.mask), inner)[0], box[:2])
    return canvas


def colour_filled_oracle(size: tuple[int, int]) -> Method:
    """An oracle: the true silhouette, filled with the true garment's mean colour; no texture."""

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [_filled(fit(pair.garment, size)[0], fit_mask(pair.silhouette, size)) for pair in pairs]

    return restore


def _filled(garment: Image.Image, silhouette: Image.Image) -> Image.Image:
    inside = np.asarray(silhouette) >= 128
    colour = np.asarray(garment)[inside].mean(axis=0) if inside.any() else np.full(3, 255.0)
    pixels = np.where(inside[..., None], np.round(colour), 255).astype(np.uint8)
    return Image.fromarray(pixels)


def mean_garment(training: TrainingGarments) -> Method:
    """The mean of all training garments of the category."""

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [Image.fromarray(training.mean[_known(training, pair.category)]) for pair in pairs]

    return restore


def nearest_garment(training: TrainingGarments, size: tuple[int, int]) -> Method:
    """The garment of the training pair whose masked photo is nearest, by the pixels of small copies."""

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [fit(training.pairs[nearest(training, pair)].garment, size)[0] for pair in pairs]

    return restore


def nearest(training: TrainingGarments, pair: GarmentPair) -> int:
    """The index of the training pair of the same category that looks most like `pair`'s masked photo."""
    category = _known(training, pair.category)
    distances: Float[np.ndarray, " N"] = np.square(
        training.looks[category] - masked_look(pair.person, pair.mask)
    ).mean(axis=(1, 2, 3))
    return training.indices[category][int(distances.argmin())]
