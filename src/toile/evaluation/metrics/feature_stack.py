"""A published classifier's layers up to the last feature map that a metric looks at.

Layers have the numbers that torchvision gives them, so that published weights load by name.
"""

from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from toile.errors import ToileError
from toile.evaluation.metrics.published_weights import PublishedFile, load_into, read_tensors


class FeatureStack(nn.Module):
    """Layers in a row, some of whose outputs are given back."""

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        taps: Sequence[int],
        channels: Sequence[int],
        smallest: int,
        published: PublishedFile,
    ) -> None:
        """Make the layers, with random weights.

        Args:
            layers: what torchvision calls `features`, down to the last tap.
            taps: numbers of the layers whose outputs are given back.
            channels: the width of each of these outputs.
            smallest: pixels a side that pictures need for every layer to have an output.
            published: where the weights are to be had.
        """
        super().__init__()
        self.features = nn.Sequential(*layers)
        self.taps = tuple(taps)
        self.channels = tuple(channels)
        self.smallest = smallest
        self.published = published

    def forward(self, pictures: Float[Tensor, "B 3 H W"]) -> list[Tensor]:
        """The tapped outputs, each (B, C, h, w), from the finest to the coarsest.

        Args:
            pictures: normalised as the metric that looks at them does it.

        Raises:
            ToileError: when the pictures are too small.
        """
        height, width = pictures.shape[2:]
        if min(height, width) < self.smallest:
            raise ToileError(
                f"{self.published.network} needs pictures of at least {self.smallest} pixels a side, "
                f"not {width}×{height}; measure larger pictures"
            )
        hidden, outputs = pictures, []
        for number, layer in enumerate(self.features):
            hidden = layer(hidden)  # (B, C, h, w)
            if number in self.taps:
                outputs.append(hidden)
        return outputs

    def load(self, path: Path | None) -> None:
        """Take the published weights, and make the stack ready to measure with: frozen, in evaluation mode.

        Raises:
            ToileError: when there is no file, or it holds something else.
        """
        tensors = read_tensors(path, self.published)
        assert path is not None  # or else there were no tensors
        load_into(self, tensors, path, self.published)
        self.eval().requires_grad_(False)
