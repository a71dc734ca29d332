"""Grids of pictures that a training run leaves to look at."""

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor


def tile(rows: list[Float[Tensor, "B 3 H W"]]) -> Image.Image:
    """One picture of all: a row for each batch, values in [-1, 1], 4 white pixels between the cells."""
    padded = [torch.nn.functional.pad(row.detach().float().cpu(), (2, 2, 2, 2), value=1.0) for row in rows]
    lines = [torch.cat(list(row), dim=-1) for row in padded]  # (3, H, B·W) each
    grid = torch.cat(lines, dim=-2).clamp(-1, 1)
    return Image.fromarray(((grid + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())
