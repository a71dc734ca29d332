"""Pictures and masks between ComfyUI's tensors and PIL.

ComfyUI's IMAGE is `(B, H, W, C)` in [0, 1], its MASK `(B, H, W)` in [0, 1], where 1 is masked: here as there,
1 says "this is the garment, work here". Source: docs.comfy.org, "Custom nodes, images and masks".

Legend: `B` pictures, `H W` pixels, `C` channels.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from toile.decoding import check_pixels
from toile.errors import ToileError
from toile.images import MASK_THRESHOLD

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Of PIL, by the number of channels."""
ASPECT_TOLERANCE = 0.02
"""By what share the aspect of a mask may differ from its photo's. Ours: as much as rounding may do."""


def to_pictures(images: Tensor, name: str = "the picture") -> list[Image.Image]:
    """Make PIL pictures of a batch; values beyond [0, 1] are cut off, as ComfyUI's own nodes do it.

    Args:
        images: (B, H, W, C) with 1, 3 or 4 channels; a single picture may lack B.
        name: what to call it in messages.

    Raises:
        ToileError: when the shape is another one, a value is no number, or there are too many pixels.
    """
    batch = images[None] if images.ndim == 3 else images
    if batch.ndim != 4 or batch.shape[-1] not in MODES or not len(batch):
        raise ToileError(
            f"{name} has the shape {tuple(images.shape)}; connect an IMAGE: batch, height, width, 3 channels"
        )
    check_pixels(name, (batch.shape[2], batch.shape[1]))
    grey = batch.shape[-1] == 1
    return [
        Image.fromarray(pixels[..., 0] if grey else pixels, MODES[batch.shape[-1]])
        for pixels in _bytes(batch, name)
    ]


def from_pictures(pictures: Sequence[Image.Image]) -> Float[Tensor, "B H W 3"]:
    """Make a batch of PIL pictures of one size."""
    return torch.stack([_tensor(picture.convert("RGB")) for picture in pictures])  # (B H W 3)


def to_masks(masks: Tensor, photos: Sequence[Image.Image], name: str = "the mask") -> list[Image.Image]:
    """Make "L" masks of a batch, scaled to the size of their photos.

    Args:
        masks: (B, H, W) or (H, W); one serves for all photos.
        photos: which they belong to.
        name: what to call it in messages.

    Raises:
        ToileError: when a mask marks nothing, has another aspect than its photo, or there are not as many.
    """
    batch = masks[None] if masks.ndim == 2 else masks
    if batch.ndim == 4 and batch.shape[-1] == 1:
        batch = batch[..., 0]
    if batch.ndim != 3 or not len(batch):
        raise ToileError(f"{name} has the shape {tuple(masks.shape)}; connect a MASK: batch, height, width")
    each = repeated([Image.fromarray(pixels, "L") for pixels in _bytes(batch, name)], len(photos), name)
    return [_fitted(mask, photo, name) for mask, photo in zip(each, photos, strict=True)]


def from_masks(masks: Sequence[Image.Image]) -> Float[Tensor, "B H W"]:
    """Make a batch of PIL masks of one size."""
    return torch.stack([_tensor(mask.convert("L")) for mask in masks])  # (B H W)


def repeated(pictures: Sequence[Image.Image], count: int, name: str) -> list[Image.Image]:
    """As many pictures as are needed: a single one serves for all.

    Raises:
        ToileError: when there are more, or fewer but not one.
    """
    if len(pictures) not in (1, count):
        raise ToileError(
            f"{name} is a batch of {len(pictures)} beside a batch of {count}; make it one, or as many"
        )
    return list(pictures) * (count if len(pictures) == 1 else 1)


def _bytes(batch: Tensor, name: str) -> np.ndarray:
    """A batch as uint8."""
    values = batch.detach().to("cpu", torch.float32)
    if not torch.isfinite(values).all():
        raise ToileError(f"{name} has values that are no numbers (NaN or infinite); see what made it")
    found: np.ndarray = (values.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return found


def _tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).to(torch.float32) / 255


def _fitted(mask: Image.Image, photo: Image.Image, name: str) -> Image.Image:
    """A mask at its photo's size."""
    if int(mask.getextrema()[1]) < MASK_THRESHOLD:  # type: ignore[arg-type]
        raise ToileError(
            f"{name} marks nothing (Load Image gives an empty one for a picture without transparency); paint "
            "one in the mask editor, or disconnect it to have one found"
        )
    if mask.size == photo.size:
        return mask
    aspects = mask.width * photo.height, photo.width * mask.height
    if abs(aspects[0] - aspects[1]) > ASPECT_TOLERANCE * max(aspects):
        sizes = [f"{width}×{height}" for width, height in (mask.size, photo.size)]
        raise ToileError(
            f"{name} has {sizes[0]} pixels and its photo {sizes[1]}: another aspect; make it fit"
        )
    return mask.resize(photo.size, Image.Resampling.BILINEAR)
