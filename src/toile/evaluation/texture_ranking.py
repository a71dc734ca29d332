"""A loss that teaches DISTS-dolls's network to miss a texture: losing it must weigh more than a slight blur.

Legend: B garments, H W pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, softplus

from toile.evaluation.doll_features import Answers
from toile.evaluation.metrics.dists import dists_formula

MARGIN = math.log(2)
"""The flattened garment is to be twice as far away as the blurred one."""
PALEST = 0.05
"""The least share of its contrast that a texture keeps."""
LEAST_TEXTURE = 1e-3
"""Mean squared difference from the mean colour below which there is hardly a texture to lose."""
SHARPNESS = 4
"""How steeply the loss rises around the margin."""


def texture_ranking(
    model: nn.Module,
    garments: Float[Tensor, "B 3 H W"],
    inside: Float[Tensor, "B 1 H W"],
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """About 0 where a slightly blurred garment is clearly nearer than one whose texture is flattened.

    Ours. Textures are made paler by chance first, since a pale one is the hardest to tell from none.

    Args:
        model: DISTS-dolls's network.
        garments: RGB in [0, 1].
        inside: 1 inside the silhouettes, else 0.
        generator: draws how pale they become.
    """
    contrast = torch.rand(len(garments), 1, 1, 1, generator=generator, device=generator.device)
    flat = flattened(garments, inside)
    true = flat + (PALEST + (1 - PALEST) * contrast.square()) * (garments - flat)
    power = ((true - flat).square() * inside).mean(dim=(1, 2, 3))
    textured = power > LEAST_TEXTURE * inside.mean(dim=(1, 2, 3))
    blurred = avg_pool2d(true, 3, stride=1, padding=1, count_include_pad=False)
    answers: Answers = model(torch.cat([true, blurred, flat]), inside.repeat(3, 1, 1, 1))
    maps = [stage.float().chunk(3) for stage in answers.maps]
    near, far = (
        dists_formula(
            [each[i] for each in maps], [each[0] for each in maps], answers.texture, answers.structure
        )
        for i in (1, 2)
    )
    gap = near.clamp(min=1e-6).log() - far.clamp(min=1e-6).log() + MARGIN
    return (softplus(SHARPNESS * gap) * textured).mean() / SHARPNESS


def flattened(
    pictures: Float[Tensor, "B 3 H W"], inside: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 3 H W"]:
    """The pictures with the inside filled with its mean colour."""
    area = inside.sum((2, 3), keepdim=True).clamp(min=1)
    colour = (pictures * inside).sum((2, 3), keepdim=True) / area
    return pictures + inside * (colour - pictures)
