"""The round trip judges a picture by what comes back of its garment."""

import numpy as np
import pytest
from PIL import Image
from tests.twgtm.small_pipeline import small_pipeline

from toile.errors import ToileError
from toile.evaluation.metrics.round_trip import RoundTripDistance
from toile.evaluation.metrics.sample import Sample, WornGarment
from toile.twgtm.round_trip import distance_back


def noise(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def sample(prediction: Image.Image, *kinds: str) -> Sample:
    garments = tuple(WornGarment(kind=kind, picture=noise(9), region=None) for kind in kinds)
    return Sample(identifier="a", prediction=prediction, garments=garments)


def test_it_is_the_mean_over_what_can_be_taken_off() -> None:
    pipeline = small_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    metric = RoundTripDistance(pipeline=pipeline)
    first, both, hat = metric(
        [sample(noise(1), "upper"), sample(noise(1), "upper", "lower"), sample(noise(1), "hat")]
    )
    upper, lower = (distance_back(pipeline, noise(1), noise(9), kind) for kind in ("upper", "lower"))
    assert first == pytest.approx(upper, rel=1e-5)
    assert both == pytest.approx((upper + lower) / 2, rel=1e-5)
    assert np.isnan(hat) and first > metric.spec.low


def test_without_garments_there_is_nothing_to_take_off() -> None:
    with pytest.raises(ToileError, match="has no garments"):
        RoundTripDistance(pipeline=small_pipeline())([sample(noise(1))])
