"""A small network that has looked at Paper Dolls, and says what prompts say: who, which hair, pose and place.

It judges whether a picture follows its prompt. It has seen drawn dolls only, of seeds that nothing else is
trained on, and nothing of the clothes is asked of it.
Legend: B pictures, H W pixels, h w cells of the last stage, C its channels, V values of an attribute.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from diffusers import ModelMixin
from diffusers.configuration_utils import ConfigMixin, register_to_config
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from toile.bundled import weights_folder
from toile.data.tensors import to_tensor
from toile.evaluation.doll_features import Stage
from toile.evaluation.trained_network import CONFIG, load_trained

SIZE = (128, 96)
"""Height and width of what the network sees: half of `tiny`'s pictures."""
BUNDLED = weights_folder() / "scene_scorer"
ABSENT, PRESENT = "absent", "present"
ARMS = ("akimbo", "crossed", "raised", "wave", "pocket", "chin")
"""The poses of an arm that captions name; a person may have two of them."""
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "place": ("studio", "street"),
    "noun": ("woman", "man"),
    "hair": ("long", "bob", "bun", "ponytail", "curly", "short", "bald"),
    "hair colour": ("black", "brown", "chestnut", "blond", "red", "grey", "pink"),
    **{arm: (ABSENT, PRESENT) for arm in ARMS},
    "bag": (ABSENT, PRESENT),
}
"""What is asked of a picture, and the possible answers: everything that captions say besides the clothes."""


class SceneScorer(ModelMixin, ConfigMixin):
    """Five stages of 3×3 convolutions, each half as big as the last, and a linear layer an attribute."""

    config_name = CONFIG

    @register_to_config
    def __init__(
        self,
        channels: Sequence[int] = (12, 24, 32, 56, 96),
        cells: Sequence[int] = (4, 3),
        attributes: Mapping[str, Sequence[str]] = ATTRIBUTES,
    ) -> None:
        """Make a network with random weights.

        Args:
            channels: the width of each stage.
            cells: rows and columns that the last stage is averaged to, so that answers know what is where.
            attributes: each attribute's possible values.
        """
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, channels[0], 3, padding=1), nn.ReLU())
        self.stages = nn.Sequential(*(Stage(*ends) for ends in pairwise(channels)))
        self.cells = (cells[0], cells[1])
        width = channels[-1] * cells[0] * cells[1]
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, len(values)) for name, values in attributes.items()}
        )

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
        """The logits of each attribute's values, (B, V), of pictures in [0, 1]."""
        centred = ((pictures - 0.5) / 0.25).contiguous(memory_format=torch.channels_last)  # a third quicker
        hidden = self.stages(self.first(centred))  # (B, C, h, w)
        cells = adaptive_avg_pool2d(hidden, self.cells).flatten(1)
        return {name: head(cells) for name, head in self.heads.items()}

    @torch.no_grad()
    def read(self, pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
        """The most likely value of every attribute of each picture."""
        if not pictures:
            return []
        logits = self(scene_tensor(pictures).to(self.device))
        values = {name: logits[name].argmax(dim=1).tolist() for name in logits}
        attributes: Mapping[str, Sequence[str]] = self.config["attributes"]
        return [
            {name: attributes[name][numbers[row]] for name, numbers in values.items()}
            for row in range(len(pictures))
        ]


def scene_tensor(pictures: Sequence[Image.Image]) -> Float[Tensor, "B 3 H W"]:
    """Pictures of any size as the network sees them: RGB in [0, 1] at `SIZE`, each pixel a mean."""
    width_height = (SIZE[1], SIZE[0])
    small = [picture.convert("RGB").resize(width_height, Image.Resampling.BOX) for picture in pictures]
    return torch.stack([to_tensor(picture) for picture in small]).float() / 255


def load_scene_scorer(folder: Path = BUNDLED) -> SceneScorer:
    """The trained network, ready to judge with.

    Raises:
        ToileError: when the folder has no weights, or they are damaged.
    """
    model: SceneScorer = load_trained(SceneScorer, folder, name="the scene scorer", training="scene-scorer")
    return model
