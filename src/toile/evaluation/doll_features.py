"""A small network that has looked at Paper Dolls, and DISTS's formula on its features.

Called DISTS-dolls everywhere: it is not DISTS, whose network has seen photographs. B: batch, H W: pixels.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor, nn

from toile.bundled import weights_folder
from toile.errors import ToileError
from toile.evaluation.dists import HanningPool, dists_formula

CONFIG = "config.json"
BUNDLED = weights_folder() / "dists_dolls"


class DollFeatures(ModelMixin, ConfigMixin):
    """Five stages of 3×3 convolutions, each half as big as the last; heads name a doll's attributes."""

    config_name = CONFIG

    @register_to_config
    def __init__(
        self,
        channels: Sequence[int] = (16, 24, 48, 64, 96),
        vocabulary: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Make a network with random weights.

        Args:
            channels: the width of each stage.
            vocabulary: each attribute's possible values, for the heads that training needs; distances don't.
        """
        super().__init__()
        widths = [3, *channels]
        self.stages = nn.ModuleList(
            _stage(number, before, after) for number, (before, after) in enumerate(pairwise(widths))
        )
        self.heads = nn.ModuleDict(
            {name: nn.Linear(4 * widths[-1], len(values)) for name, values in (vocabulary or {}).items()}
        )

        for layer in self.stages.modules():
            if isinstance(layer, nn.Conv2d):  # without norms, only He's scale carries the signal through
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # every layer here has one

    def features(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """The picture (RGB in [0, 1]) and the feature maps of the stages, each (B, C, h, w)."""
        maps = [pictures]
        hidden = (pictures - 0.5) / 0.25
        for stage in self.stages:
            hidden = stage(hidden)  # (B, C_i, H / 2^i, W / 2^i)
            maps.append(hidden)
        return maps

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
        """For each attribute, the logits of its values, (B, values)."""
        last = self.features(pictures)[-1]  # (B, C, h, w)
        halves = [last[:, :, : last.shape[2] // 2], last[:, :, last.shape[2] // 2 :]]
        means = [half.mean(dim=(2, 3)) for half in halves]
        peaks = [half.amax(dim=(2, 3)) for half in halves]
        pooled = torch.cat([*means, *peaks], dim=1)  # (B, 4C)
        return {name: head(pooled) for name, head in self.heads.items()}

    @torch.no_grad()
    def distance(
        self, predictions: Float[Tensor, "B 3 H W"], targets: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, " B"]:
        """DISTS-dolls of pictures in [0, 1]: 0 for equal pictures, lower is better.

        Ours: the picture and each stage weigh the same, texture and structure too, and within a stage all
        channels. (DISTS fits α and β to people's judgements of photographs, which dolls don't have.)
        """
        mine, true = self.features(predictions), self.features(targets)
        weights = [torch.full((maps.shape[1],), 1 / maps.shape[1], device=maps.device) for maps in mine]
        return dists_formula(mine, true, weights, weights)


def _stage(number: int, before: int, after: int) -> nn.Sequential:
    """Pool, but not before the first stage; convolve once in the first stage else twice."""
    first = [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    if number == 0:
        return nn.Sequential(*first)
    return nn.Sequential(HanningPool(), *first, nn.Conv2d(after, after, 3, padding=1), nn.ReLU())


def load_doll_features(folder: Path = BUNDLED) -> DollFeatures:
    """The trained network, ready to measure with.

    Raises:
        ToileError: when the folder has no weights, or they are damaged.
    """
    if not (folder / CONFIG).is_file():
        raise ToileError(
            f"no weights of DISTS-dolls in {folder}; `toile train doll-features` or `make weights` makes them"
        )
    try:
        model: DollFeatures = DollFeatures.from_pretrained(folder, low_cpu_mem_usage=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ToileError(f"the weights of DISTS-dolls in {folder} cannot be read: {error}") from error
    model.eval().requires_grad_(False)
    return model
