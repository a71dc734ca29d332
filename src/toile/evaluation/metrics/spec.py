"""What a metric is called and means, and the three forms that metrics and their networks take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.metrics.sample import Sample

NEEDS = frozenset({"target", "silhouette", "prompt", "garments", "regions"})
"""What of a `Sample` a metric may need besides the prediction; `regions` are those of all its garments."""


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """Everything that a reader of a table has to know about a column of it.

    Raises:
        ToileError: when the range is empty, or a need is none of `NEEDS`.
    """

    name: str
    """As printed: "SSIM", "LPIPS (alex)", "FID", "FD-dolls"."""
    higher_is_better: bool
    """Whether more of it is better."""
    low: float
    """The smallest value there can be; may be -infinity."""
    high: float
    """The largest value there can be; may be infinity."""
    needs: frozenset[str]
    """What a sample has to have, of `NEEDS`."""
    definition: str
    """One sentence: formula variant, filter, constants, backbone."""
    backbone: str | None
    """The network's name in the table of backbones; None where there is no network."""

    def __post_init__(self) -> None:
        """Refuse what no metric can be."""
        if not self.low < self.high:
            raise ToileError(
                f"{self.name}: the range [{self.low}, {self.high}] is empty; give low below high"
            )
        if self.needs - NEEDS:
            raise ToileError(
                f"{self.name}: no sample has {', '.join(sorted(self.needs - NEEDS))}; "
                f"a metric may need {', '.join(sorted(NEEDS))}"
            )


@runtime_checkable
class PerImageMetric(Protocol):
    """Gives every sample a number of its own, whatever else is in the batch."""

    @property
    def spec(self) -> MetricSpec:
        """Name, direction, range and definition."""
        ...

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One value a sample, in their order; the pictures of different samples may differ in size."""
        ...


@runtime_checkable
class FeatureExtractor(Protocol):
    """Turns pictures into vectors, for metrics that compare sets of pictures."""

    @property
    def name(self) -> str:
        """The network's name, and whatever else makes its vectors others: resizing, layer."""
        ...

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        ...

    def __call__(self, pictures: Sequence[Image.Image]) -> Float32[np.ndarray, "B D"]:
        """One vector a picture (RGB, of any size), in their order."""
        ...


@runtime_checkable
class SetMetric(Protocol):
    """Compares two sets of vectors; has no value for a single picture."""

    @property
    def spec(self) -> MetricSpec:
        """Name, direction, range and definition."""
        ...

    @property
    def extractor(self) -> str:
        """The name of the `FeatureExtractor` whose vectors it compares."""
        ...

    def __call__(self, real: Float32[np.ndarray, "N D"], predicted: Float32[np.ndarray, "M D"]) -> float:
        """How far the predicted set lies from the real one."""
        ...
