"""Garments on white for the tests of metrics, textured inside a known silhouette."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

SIZE = (64, 48)


def silhouettes(count: int) -> Tensor:
    inside = torch.zeros(count, 1, *SIZE)
    for row in range(count):
        inside[row, :, 6 : 56 - row, 5 + row : 42] = 1
    return inside


def textured(count: int, seed: int = 0, grain: int = 3) -> Tensor:
    """Random blotches of colour inside the silhouettes, white outside, in [0, 1]."""
    noise = torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
    soft = avg_pool2d(noise, grain, stride=1, padding=grain // 2, count_include_pad=False)
    inside = silhouettes(count)
    return soft * inside + (1 - inside)


def filled(pictures: Tensor) -> Tensor:
    """The same silhouettes, each filled with its mean colour."""
    inside = silhouettes(len(pictures))
    colour = (pictures * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True)
    return colour * inside + (1 - inside)


def blurred(pictures: Tensor, grain: int) -> Tensor:
    return avg_pool2d(pictures, grain, stride=1, padding=grain // 2, count_include_pad=False)
