"""A pair's pictures as tensors of one size."""

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from toile.data.record import GarmentPair
from toile.data.resized import resized


def pair_tensors(
    pair: GarmentPair, size: tuple[int, int]
) -> dict[str, UInt8[Tensor, "channels height width"]]:
    """A pair's pictures, fitted and padded to (height, width) as the pipelines do it.

    Returns:
        `person` and `garment` (3, H, W), RGB; `mask` and `silhouette` (1, H, W), 0 or 255.
    """
    fitted = resized(pair, size)
    return {
        "person": to_tensor(fitted.person),
        "garment": to_tensor(fitted.garment),
        "mask": to_tensor(fitted.mask),
        "silhouette": to_tensor(fitted.silhouette),
    }


def to_tensor(picture: Image.Image) -> UInt8[Tensor, "channels height width"]:
    """A picture's bytes, channels first."""
    pixels = np.array(picture)  # (H, W, 3) or (H, W)
    return torch.from_numpy(np.atleast_3d(pixels)).movedim(-1, 0).contiguous()
