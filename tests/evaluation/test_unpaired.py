from collections.abc import Sequence

import pytest
import torch
from PIL import Image
from tests.evaluation.small_pairs import SIZE, striped

from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.frechet import frechet_distance
from toile.evaluation.try_on import Fitting
from toile.evaluation.unpaired import UnpairedReport, doll_vectors, evaluate_unpaired

PAIRS = [striped(seed, category) for seed in range(5) for category in ("upper", "lower")]


def photo(fittings: Sequence[Fitting]) -> list[Image.Image]:
    return [fitting.wearer.person for fitting in fittings]


def flat(fittings: Sequence[Fitting]) -> list[Image.Image]:
    return [fitting.garment.garment for fitting in fittings]


def features() -> DollFeatures:
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6)).eval()


@pytest.fixture(scope="module")
def report() -> UnpairedReport:
    methods = {"photo": photo, "flat": flat}
    return evaluate_unpaired(methods, {"studio": PAIRS}, size=SIZE, features=features(), batch_size=3)


def test_photos_are_at_distance_zero_and_flat_garments_are_not(report: UnpairedReport) -> None:
    assert report.distance("studio", "photo") == pytest.approx(0, abs=1e-9)
    assert report.distance("studio", "flat") > 1e-3
    assert report.real["studio"].shape == (10, 6)


def test_the_distance_is_that_of_the_vectors(report: UnpairedReport) -> None:
    assert report.distance("studio", "flat") == frechet_distance(
        report.drawn["studio"]["flat"], report.real["studio"]
    )


def test_a_difference_has_its_sign(report: UnpairedReport) -> None:
    gain = report.difference("studio", "photo", "flat", resamples=40)
    assert gain.mean == pytest.approx(-report.distance("studio", "flat"), abs=1e-9)
    assert gain.high < 0
    assert gain == report.difference("studio", "photo", "flat", resamples=40)


def test_everybody_wears_anothers_garment(report: UnpairedReport) -> None:
    for who_in_what in report.identifiers["studio"]:
        who, what = who_in_what.split(" in ")
        assert who != what and who.split("-")[0] == what.split("-")[0]


def test_vectors_are_means_of_the_last_stage_whatever_the_batch() -> None:
    model = features()
    pictures = torch.rand(3, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    together = doll_vectors(model, pictures)
    assert torch.allclose(together, model.features(pictures)[-1].flatten(2).mean(2), atol=1e-6)
    assert torch.allclose(together[1:2], doll_vectors(model, pictures[1:2]), atol=1e-6)


def test_a_single_pair_is_refused() -> None:
    with pytest.raises(ToileError, match="studio has one pair only"):
        evaluate_unpaired({"photo": photo}, {"studio": PAIRS[:1]}, size=SIZE, features=features())
