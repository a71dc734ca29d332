"""SqueezeNet 1.1's feature stack, with torchvision's key names."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from toile.evaluation.metrics.feature_stack import FeatureStack
from toile.evaluation.metrics.published_weights import PublishedFile

PUBLISHED = PublishedFile(
    network="SqueezeNet 1.1", source="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"
)


class Fire(nn.Module):
    """Squeezes to few channels by 1×1, and expands them by 1×1 and 3×3 side by side."""

    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        """Make the three convolutions; each of the two expanding ones gives `expanded` channels."""
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, hidden: Float[Tensor, "B C h w"]) -> Float[Tensor, "B twoE h w"]:
        """Squeeze and expand, rectified each time."""
        squeezed = self.squeeze(hidden).relu()
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1).relu()


def squeezenet() -> FeatureStack:
    """Taps the first convolution, and the last `Fire` before each pooling layer and all four after them.

    Source: Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
    model size", version 1.1 of their repository.
    """
    layers = [
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(),
        _pool(),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        _pool(),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        _pool(),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    ]
    return FeatureStack(
        layers,
        taps=(1, 4, 7, 9, 10, 11, 12),
        channels=(64, 128, 256, 384, 384, 512, 512),
        smallest=17,
        published=PUBLISHED,
    )


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
