"""Keeping a photo's untouched pixels: what a model painted, laid into the photo with a soft edge.

Legend: `B` batch, `H W` pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

from toile.errors import ToileError

REACH = 2
"""How many standard deviations of the edge's Gaussian are kept on each side."""


def repaint(
    result: Float[Tensor, "B 3 H W"],
    photo: Float[Tensor, "B 3 H W"],
    mask: Float[Tensor, "B 1 H W"],
    softness: float,
) -> Float[Tensor, "B 3 H W"]:
    """The result inside the mask, the photo's own pixels outside of it, and a soft edge between them.

    Where the mask is 1, the picture is exactly the result. The edge lies outside of the mask, in a band of at
    most 2 · ceil(2 · softness) pixels; beyond that band the picture is exactly the photo.

    Args:
        result: what the model made; any range, the same as the photo's.
        photo: what it was made from.
        mask: 1 where the photo was to be repainted, 0 where it was not.
        softness: standard deviation of the edge, in pixels; 0 makes a hard edge.

    Raises:
        ToileError: when the softness is negative.
    """
    return torch.lerp(photo, result, soft_mask(mask, softness).to(photo))


def soft_mask(mask: Float[Tensor, "B 1 H W"], softness: float) -> Float[Tensor, "B 1 H W"]:
    """How much of the result is seen: 1 in the mask, falling off around it; the mask only ever grows.

    The mask is first widened by the reach of the Gaussian, so that blurring it takes nothing from its inside.
    """
    if not softness >= 0:
        raise ToileError(f"softness is {softness}; it must be 0 or more, in pixels")
    reach = math.ceil(REACH * softness)
    if reach == 0:
        return mask
    width = 2 * reach + 1
    widened = max_pool2d(mask.float(), (1, width), stride=1, padding=(0, reach))  # (B 1 H W)
    widened = max_pool2d(widened, (width, 1), stride=1, padding=(reach, 0))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float32, device=mask.device)
    kernel = torch.exp(-0.5 * (offsets / softness).square())
    kernel = kernel / kernel.sum()
    blurred = conv2d(pad(widened, (reach, reach, 0, 0), mode="replicate"), kernel[None, None, None])
    blurred = conv2d(pad(blurred, (0, 0, reach, reach), mode="replicate"), kernel[None, None, :, None])
    return torch.maximum(blurred.clamp(max=1), mask.float()).to(mask.dtype)  # (B 1 H W)
