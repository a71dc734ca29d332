"""The vectors of FD-dolls and KD-dolls: what a network that knows Paper Dolls sees in a picture.

They stand in for Inception's where no published weights are at hand, and their figures never bear its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from PIL import Image

from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.resizing import clean_resize

SIZE = (256, 192)
"""Height and width of the pictures that the network was trained on."""


@dataclass(frozen=True, kw_only=True)
class DollVectors:
    """One vector a picture: the means of the last stage's feature maps.

    Ours: the last stage names a garment's attributes from such maps; its means are few enough that two
    hundred pictures give a covariance. Pictures of another size are brought to `SIZE`, so that a figure does
    not depend on it.
    """

    network: DollFeatures
    """DISTS-dolls's network."""
    device: str = "cpu"
    """Where the network computes."""
    name: str = "dolls"
    """The extractor's name."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self.network.config["channels"][-1])

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B D"]:
        """One vector a picture (RGB, in bytes)."""
        resized = np.stack([clean_resize(picture, SIZE) for picture in pictures])
        pixels = torch.from_numpy(resized).to(self.device).clamp(0, 255) / 255
        maps = self.network.to(self.device).features(pixels)[-1]  # (B, C, h, w)
        vectors: np.ndarray = maps.mean(dim=(2, 3)).float().cpu().numpy()
        return vectors
