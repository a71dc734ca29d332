"""Where on a picture a feature lies, as sine waves.

Legend: `B` batch, `dim` channels, `y x` pixels of a feature map.
"""

import math

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from toile.errors import ToileError

TEMPERATURE = 10_000


def sine_positions(features: Float[Tensor, "B dim y x"]) -> Float[Tensor, "dim y x"]:
    """Describe each pixel of a feature map by its row and column, counted from 0 to 2π whatever the size.

    The first half of the channels tells the row, the second half the column; in each, sine and cosine take
    turns, from the quickest wave to the slowest.

    Source: Cheng et al. 2022 (Mask2Former), the position embedding of its features.

    Raises:
        ToileError: when the channels cannot be divided by four.
    """
    dim, height, width = features.shape[1:]
    if dim % 4:
        raise ToileError(f"{dim} channels cannot hold positions; their number should be divisible by 4")
    rows = _waves(height, dim // 2, features.device)  # (dim/2 y)
    columns = _waves(width, dim // 2, features.device)  # (dim/2 x)
    both = [repeat(rows, "d y -> d y x", x=width), repeat(columns, "d x -> d y x", y=height)]
    return torch.cat(both).to(features.dtype)  # (dim y x)


def _waves(count: int, dim: int, device: torch.device) -> Tensor:
    place = 2 * math.pi * torch.arange(1, count + 1, device=device) / count  # (count)
    frequency = TEMPERATURE ** (-torch.arange(0, dim, 2, device=device) / dim)  # (dim/2)
    angle = frequency[:, None] * place  # (dim/2 count)
    return torch.stack([angle.sin(), angle.cos()], dim=1).flatten(0, 1)  # (dim count)
