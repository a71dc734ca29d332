"""What a restoration is given, checked and brought to one form.

Legend: `B` batch, `H W` pixels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from diffusers import UNet2DConditionModel
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
        raise ToileError("nothing to restore from: give a photo of a person, or a wardrobe")
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
    pictures: Tensor = PHOTOS.preprocess([fit(photo, size)[0] for photo in photos])
    regions: Tensor = MASKS.preprocess([fit_mask(item, size) for item in masks])
    return pictures, regions


def check_size(size: tuple[int, int], unet: UNet2DConditionModel, vae_scale_factor: int) -> tuple[int, int]:
    """See that a U-Net can halve a (height, width) in pixels as often as it needs to.

    Raises:
        ToileError: when it cannot.
    """
    unit = vae_scale_factor * 2 ** (len(unet.config["block_out_channels"]) - 1)
    if any(side < unit or side % unit for side in size):
        near = "×".join(str(max(1, round(side / unit)) * unit) for side in size)
        raise ToileError(
            f"size {size[0]}×{size[1]}: this model needs a height and a width that are multiples of {unit}; "
            f"take {near}"
        )
    return size


def check_call(steps: int, output_type: str, callback_inputs: Sequence[str], known: Sequence[str]) -> None:
    """Refuse arguments of a call that make no sense, before anything is computed.

    Raises:
        ToileError: naming the argument, its value, and what it may be.
    """
    if steps < 1:
        raise ToileError(f"num_inference_steps is {steps}; it must be at least 1")
    if output_type not in ("pil", "np", "pt", "latent"):
        raise ToileError(f"output_type {output_type!r} is unknown; write pil, np, pt or latent")
    for name in callback_inputs:
        if name not in known:
            raise ToileError(
                f"callback_on_step_end_tensor_inputs has {name!r}; it may have {', '.join(known)}"
            )


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
