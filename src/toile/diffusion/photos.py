"""The pictures that a pipeline is given, checked and brought to one form.

Legend: `B` batch, `H W` pixels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from diffusers.image_processor import VaeImageProcessor
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from toile.errors import ToileError
from toile.images import as_mask, as_photo, fit, fit_mask

Picture = Image.Image | np.ndarray

PHOTOS = VaeImageProcessor(do_resize=False)
"""Pictures to tensors in [-1, 1] and back."""
MASKS = VaeImageProcessor(do_resize=False, do_normalize=False, do_binarize=True, do_convert_grayscale=True)
"""Masks to tensors of 0 and 1."""


def prepare_pictures(
    pictures: Picture | Sequence[Picture], size: tuple[int, int]
) -> Float[Tensor, "B 3 H W"]:
    """Fit pictures into the canvas, in [-1, 1], padded with white.

    Args:
        pictures: one or several.
        size: (height, width) of the canvas.

    Raises:
        ToileError: when there are none, or one cannot be used.
    """
    photos = [as_photo(picture) for picture in listed(pictures)]
    if not photos:
        raise ToileError("the list of pictures is empty; give at least one")
    prepared: Tensor = PHOTOS.preprocess([fit(photo, size)[0] for photo in photos])
    return prepared


def prepare_photos(
    person: Picture | Sequence[Picture] | None,
    mask: Picture | Sequence[Picture | None] | None,
    size: tuple[int, int],
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 1 H W"]]:
    """Fit photos into the canvas, in [-1, 1], and their masks with them, 0 or 1; padding is never garment.

    Args:
        person: one photo or several.
        mask: of each photo; None takes the whole photo.
        size: (height, width) of the canvas.

    Raises:
        ToileError: when there is no photo, or masks and photos do not belong together.
    """
    if person is None:
        raise ToileError("there is nothing to work from: give a photo of a person, or a wardrobe")
    photos = [as_photo(picture) for picture in listed(person)]
    given = [None] * len(photos) if mask is None else listed(mask)
    if not photos or len(given) != len(photos):
        raise ToileError(
            f"{len(photos)} photos and {len(given)} masks: give at least one photo, a mask for each"
        )
    masks = [
        Image.new("L", photo.size, 255) if item is None else as_mask(item, photo.size)
        for photo, item in zip(photos, given, strict=True)
    ]
    regions: Tensor = MASKS.preprocess([fit_mask(item, size) for item in masks])
    return prepare_pictures(photos, size), regions


def listed(given: Any) -> list[Any]:
    """A list of what may be one or several."""
    return list(given) if isinstance(given, (list, tuple)) else [given]


def repeated(given: Any, count: int) -> list[Any]:
    """One value for each of `count` items, from one for all or one for each.

    Raises:
        ToileError: when there are neither one nor `count`.
    """
    values = list(given) if isinstance(given, (list, tuple)) else [given] * count
    if len(values) != count:
        raise ToileError(
            f"{len(values)} values were given for {count} items; give one for all, or one for each"
        )
    return values
