"""The round trip as a metric: what a prediction shows as worn is taken off again, and compared.

It needs no true photo, so that unpaired try-on can be judged by it; the figure depends on the model that
takes off, whose weights stand in the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from toile.data.record import CATEGORIES
from toile.evaluation.metrics.needs import check_needs
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import MetricSpec
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.round_trip import distance_back

ROUND_TRIP = MetricSpec(
    name="round trip",
    higher_is_better=False,
    low=0,
    high=float("inf"),
    needs=frozenset({"garments"}),
    definition=(
        "absolute error of the garment that a TWGTM takes off the prediction again (30 steps, guidance 2.5, "
        "seed 0, in the garment's rectangle), for each pixel of the garment; mean of full size and a quarter"
    ),
    backbone="twgtm",
)


@dataclass(frozen=True, kw_only=True)
class RoundTripDistance:
    """How far the garments that come back are from those that were put on, 0 when they are equal."""

    pipeline: TWGTMPipeline
    """Takes off."""
    spec: MetricSpec = ROUND_TRIP
    """What it is called."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One distance a sample, the mean over its garments; NaN where it has none that can be taken off.

        Raises:
            ToileError: when a sample has no garments.
        """
        check_needs(self.spec, samples)
        return np.array([self._distance(sample) for sample in samples], np.float64)

    def _distance(self, sample: Sample) -> float:
        found = [
            distance_back(self.pipeline, sample.prediction, garment.picture, garment.kind)
            for garment in sample.garments
            if garment.kind in CATEGORIES
        ]
        return float(np.mean(found)) if found else float("nan")
