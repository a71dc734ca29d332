"""A small network that has looked at Paper Dolls, and DISTS's formula on its features.

Called DISTS-dolls everywhere: it is not DISTS, whose network has seen photographs.
Legend: B pictures, H W pixels, h w cells of the last stage, C its channels, G regions, V values, P parts,
S stages that name attributes.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, conv2d, relu

from toile.bundled import weights_folder
from toile.evaluation.metrics.dists import dists_formula
from toile.evaluation.metrics.hanning_pool import HanningPool
from toile.evaluation.trained_network import CONFIG, load_trained

NAMING_STAGES = 3
"""How many of the last stages name attributes: the earlier ones learn sooner, and hand on what they found."""
RELU_GAIN = (2 / (1 - 1 / math.pi)) ** 0.5
"""What a ReLU takes from the deviation of normal numbers, given back."""
BUNDLED = weights_folder() / "dists_dolls"


class Answers(NamedTuple):
    """What the network says of pictures; only training asks for more than the features."""

    maps: list[Tensor]
    """The picture and the feature maps of the stages, each (B, C_i, h_i, w_i)."""
    parts: Tensor
    """The logits of what each cell shows, (B, P, h, w)."""
    attributes: dict[str, Tensor]
    """For each attribute, the logits of its values in each region, (S, B, G, V)."""
    texture: list[Tensor]
    """DISTS's α of each map, (C_i,)."""
    structure: list[Tensor]
    """DISTS's β of each map, (C_i,)."""


class DollFeatures(ModelMixin, ConfigMixin):
    """Five stages of 3×3 convolutions, each half as big as the last; heads name a garment's attributes."""

    config_name = CONFIG

    @register_to_config
    def __init__(
        self,
        channels: Sequence[int] = (12, 24, 48, 96, 128),
        vocabulary: Mapping[str, Sequence[str]] | None = None,
        parts: int = 8,
    ) -> None:
        """Make a network with random weights.

        Args:
            channels: the width of each stage.
            vocabulary: each attribute's possible values, for the heads that training needs; distances don't.
            parts: how many things a cell may show, for the head that training needs.
        """
        super().__init__()
        widths = [3, *channels]
        first = nn.Sequential(nn.Conv2d(3, widths[1], 3, padding=1), nn.ReLU())
        self.stages = nn.ModuleList([first, *(Stage(*ends) for ends in pairwise(widths[1:]))])
        self.cells = nn.Conv2d(widths[-1], parts, 1)
        self.heads = nn.ModuleList(
            nn.ModuleDict(
                {name: nn.Linear(2 * width, len(values)) for name, values in (vocabulary or {}).items()}
            )
            for width in channels[-NAMING_STAGES:]
        )
        # log α and log β, up to a constant for each map
        self.texture = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in widths)
        self.structure = nn.ParameterList(nn.Parameter(torch.zeros(width)) for width in widths)

    def features(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """The picture (RGB in [0, 1]) and the feature maps of the stages, each (B, C, h, w)."""
        maps = [pictures]
        hidden = (pictures - 0.5) / 0.25
        for stage in self.stages:
            hidden = stage(hidden)  # (B, C_i, H / 2^i, W / 2^i)
            maps.append(hidden)
        return maps

    def forward(self, pictures: Float[Tensor, "B 3 H W"], regions: Float[Tensor, "B G H W"]) -> Answers:
        """What each cell shows, and what the garment in each region is like.

        Args:
            pictures: RGB in [0, 1].
            regions: 1 where a garment is, else 0.
        """
        maps = self.features(pictures)
        pooled = [pool_regions(stage, regions) for stage in maps[-len(self.heads) :]]  # (B, G, 2C_i) each
        alpha, beta = self.weights()
        return Answers(
            maps=maps,
            parts=self.cells(maps[-1]),
            attributes={
                name: torch.stack(
                    [heads[name](rows) for heads, rows in zip(self._named_heads(), pooled, strict=True)]
                )
                for name in self.config["vocabulary"] or {}
            },
            texture=alpha,
            structure=beta,
        )

    def _named_heads(self) -> list[nn.ModuleDict]:
        return [heads for heads in self.heads if isinstance(heads, nn.ModuleDict)]

    def weights(self) -> tuple[list[Tensor], list[Tensor]]:
        """DISTS's α and β of the picture and of each stage, (C_i,) each; all positive."""
        alpha = [(1.5 * logs.tanh()).exp() / len(logs) for logs in self.texture]
        beta = [(1.5 * logs.tanh()).exp() / len(logs) for logs in self.structure]
        return alpha, beta

    def distance(
        self, predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, " B"]:
        """DISTS-dolls of pictures in [0, 1]: 0 for equal pictures, lower is better.

        Differentiable, so that it can be a loss too.

        Ours: α and β are not fitted to people's judgements, as DISTS's are, but trained with the network so
        that a garment with its texture flattened lies farther away than a slightly blurred one.
        """
        return dists_formula(self.features(predictions), self.features(targets), *self.weights())


def pool_regions(maps: Float[Tensor, "B C h w"], regions: Float[Tensor, "B G H W"]) -> Float[Tensor, "B G D"]:
    """The mean and the peak of each channel inside each region, D = 2C; zero for an empty region."""
    shares = (
        adaptive_avg_pool2d(regions, (maps.shape[2], maps.shape[3])).to(maps.dtype).flatten(2)
    )  # (B, G, hw)
    cells = maps.flatten(2)  # (B, C, hw)
    total = shares.sum(dim=2, keepdim=True).clamp(min=1e-6)
    means = torch.einsum("bgn,bcn->bgc", shares / total, cells)
    peaks = (cells[:, None] * shares[:, :, None]).amax(dim=3)  # (B, G, C)
    return torch.cat([means, peaks], dim=2)


class StandardConvolution(nn.Conv2d):
    """A 3×3 convolution whose weights have mean 0 and the scale that keeps a signal's size through a ReLU.

    Ours: without it, deep stages hardly learn, and norms of activations would make a distance depend on the
    batch, or forget how strong a texture is.

    Source: Brock et al. 2021, "Characterizing signal propagation to close the performance gap in
    unnormalized ResNets", Eq. 4.
    """

    def __init__(self, before: int, after: int) -> None:
        """Make it with random weights and gains of 1."""
        super().__init__(before, after, 3, padding=1)
        self.gain = nn.Parameter(torch.ones(after, 1, 1, 1))

    def forward(self, x: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B _ H W"]:
        """Standardise the weights and convolve."""
        deviation, mean = torch.std_mean(self.weight, dim=(1, 2, 3), keepdim=True, correction=0)
        fan_in = self.weight[0].numel()
        weight = (self.weight - mean) / (deviation + 1e-4) * (self.gain * RELU_GAIN / fan_in**0.5)
        return conv2d(x, weight, self.bias, padding=1)


class Stage(nn.Module):
    """Half as big as its input: two convolutions, and a shortcut that carries colours on."""

    def __init__(self, before: int, after: int) -> None:
        """Make it with random weights."""
        super().__init__()
        self.pool = HanningPool()
        self.first = StandardConvolution(before, after)
        self.second = StandardConvolution(after, after)
        self.shortcut = nn.Conv2d(before, after, 1)

    def forward(self, x: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B _ h w"]:
        """Pool, convolve twice, add."""
        x = self.pool(x)
        branch = self.second(relu(self.first(x)))
        return relu((branch + self.shortcut(x)) / 2**0.5)


def load_doll_features(folder: Path = BUNDLED) -> DollFeatures:
    """The trained network, ready to measure with.

    Raises:
        ToileError: when the folder has no weights, or they are damaged.
    """
    model: DollFeatures = load_trained(DollFeatures, folder, name="DISTS-dolls", training="doll-features")
    return model
