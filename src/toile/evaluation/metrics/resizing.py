"""Bringing pictures to the size that a network wants, exactly as the published figures did it.

Legend: `B` pictures, `H W` a picture's size, `S` the side of a square.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32
from PIL import Image
from torch.nn.functional import interpolate

INCEPTION_SIDE = 299
"""Inception-v3's input, in pixels."""


def clean_resize(
    picture: Image.Image, size: tuple[int, int] = (INCEPTION_SIDE, INCEPTION_SIDE)
) -> Float32[np.ndarray, "3 H W"]:
    """PIL's bicubic filter, widened when shrinking, on each channel in float32: clean-fid's resizing.

    Args:
        picture: RGB.
        size: (height, width) in pixels.

    Returns:
        RGB about [0, 255]: neither rounded nor clipped, so that the filter's overshoot remains.

    Source: Parmar, Zhang and Zhu 2022, "On aliased resizing and surprising subtleties in GAN evaluation".
    """
    pixels = np.asarray(picture, dtype=np.float32)
    height, width = size
    channels = [
        np.asarray(Image.fromarray(pixels[:, :, i]).resize((width, height), Image.Resampling.BICUBIC))
        for i in range(3)
    ]
    return np.stack(channels)


def legacy_resize(
    picture: Image.Image, size: tuple[int, int] = (INCEPTION_SIDE, INCEPTION_SIDE)
) -> Float32[np.ndarray, "3 H W"]:
    """Bilinear interpolation between the four nearest pixels, which aliases when shrinking: pytorch-fid's.

    Args:
        picture: RGB.
        size: (height, width) in pixels.

    Returns:
        RGB in [0, 255], not rounded.

    Source: pytorch-fid, `InceptionV3.forward` (align_corners off, no antialiasing).
    """
    pixels = torch.from_numpy(np.array(picture, dtype=np.float32)).movedim(-1, 0)
    found = interpolate(pixels[None], size=size, mode="bilinear", align_corners=False)[0]
    resized: np.ndarray = found.numpy()
    return resized


def square_crop(picture: Image.Image, side: int, *, shorter: int | None = None) -> Image.Image:
    """The middle of a picture: the shorter side resized with PIL's bicubic filter, then a square cut out.

    Args:
        picture: RGB; bytes before and after, as CLIP and DINO see pictures.
        side: the square's, in pixels.
        shorter: what the shorter side is resized to first; None takes `side`, so that it is seen whole.

    Source: CLIP's preprocessing (Radford et al. 2021), and DINO's evaluation (Caron et al. 2021: 256, 224).
    """
    shorter = shorter or side
    width, height = picture.size
    wide, high = (shorter * length // min(width, height) for length in (width, height))
    resized = picture.resize((wide, high), Image.Resampling.BICUBIC)
    left, top = round((wide - side) / 2), round((high - side) / 2)
    return resized.crop((left, top, left + side, top + side))


def padded_square(picture: Image.Image) -> Image.Image:
    """A picture in the middle of a white square, so that cutting out a square loses nothing of it."""
    side = max(picture.size)
    square = Image.new("RGB", (side, side), (255, 255, 255))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def normalised(
    pictures: Sequence[Image.Image], mean: Sequence[float], deviation: Sequence[float]
) -> Float[torch.Tensor, "B 3 H W"]:
    """Pictures of one size as (B, 3, H, W): RGB in [0, 1], less the mean, over the standard deviation."""
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).float() / 255
    scaled = (pixels - torch.tensor(mean)) / torch.tensor(deviation)
    return scaled.movedim(-1, 1).contiguous()
