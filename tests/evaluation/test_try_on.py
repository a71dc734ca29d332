from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.small_pairs import SIZE, StripedPictures, striped

from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.report import Named
from toile.evaluation.restoration import remembered
from toile.evaluation.try_on import (
    METRICS,
    Fitting,
    evaluate_try_on,
    others_garments,
    own_garments,
)

PAIRS = [striped(seed, category) for seed in range(4) for category in ("upper", "dress")]


def photo(fittings: Sequence[Fitting]) -> list[Image.Image]:
    return [fitting.wearer.person for fitting in fittings]


def grey(fittings: Sequence[Fitting]) -> list[Image.Image]:
    return [Image.new("RGB", (SIZE[1], SIZE[0]), (100, 110, 120)) for _ in fittings]


def features() -> DollFeatures:
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6)).eval()


def test_everybody_wears_a_garment_of_somebody_else() -> None:
    fittings = others_garments(PAIRS, seed=3)
    assert [fitting.wearer for fitting in fittings] == PAIRS
    for fitting in fittings:
        assert fitting.garment.identifier != fitting.wearer.identifier and not fitting.paired
        assert fitting.garment.category == fitting.wearer.category == fitting.category
    assert sorted(f.garment.identifier for f in fittings) == sorted(p.identifier for p in PAIRS)


def test_the_permutation_belongs_to_the_seed() -> None:
    def worn(seed: int) -> list[str]:
        return [fitting.garment.identifier for fitting in others_garments(PAIRS, seed)]

    assert worn(3) == worn(3)
    assert len({tuple(worn(seed)) for seed in range(8)}) > 4


def test_nobody_else_and_another_category_are_refused() -> None:
    for lonely in ([striped(0), striped(1), striped(2, "lower")], [striped(0), striped(0)]):
        with pytest.raises(ToileError, match="no other garment"):
            others_garments(lonely, seed=0)
    with pytest.raises(ToileError, match="'dress' does not fit"):
        Fitting(wearer=striped(0), garment=striped(0, "dress"))


def test_the_photo_is_perfect_and_grey_is_measured_by_hand() -> None:
    report = evaluate_try_on(
        {"photo": photo, "grey": grey}, {"studio": PAIRS}, size=SIZE, features=features(), batch_size=3
    )
    assert set(report.higher_is_better) == set(METRICS)
    perfect = {metric: report.interval("studio", "photo", metric).mean for metric in METRICS}
    assert perfect == pytest.approx({"SSIM": 1, "DISTS-dolls": 0, "L1 inside": 0, "L1 outside": 0}, abs=1e-5)
    outside = np.mean([50, 30, 10]) / 255  # from the person's (150, 140, 130)
    assert report.interval("studio", "grey", "L1 outside").mean == pytest.approx(outside, abs=1e-5)
    pair = next(p for p in PAIRS if p.identifier == report.identifiers["studio"][2])
    error = np.abs(np.asarray(pair.person, dtype=float) - (100, 110, 120)) / 255
    inside = np.asarray(pair.mask) == 255
    found = report.values["studio"]["grey"]["L1 inside"][2]
    assert found == pytest.approx(error[inside].mean(), abs=1e-5)
    assert report.beats("studio", "photo", "grey", "L1 inside")


def test_without_a_network_its_distance_is_left_out() -> None:
    report = evaluate_try_on({"grey": grey}, {"studio": PAIRS[:2]}, size=SIZE)
    assert set(report.higher_is_better) == set(METRICS) - {"DISTS-dolls"}
    assert set(report.values["studio"]["grey"]) == set(report.higher_is_better)


class Unmasked(StripedPictures):
    def mask(self) -> Image.Image:
        return Image.new("L", (SIZE[1], SIZE[0]), 255)


def test_a_mask_that_covers_everything_is_refused() -> None:
    pair = replace(striped(0), pictures=Unmasked(seed=0, category="upper"))
    with pytest.raises(ToileError, match="'upper-0' covers the whole photo"):
        evaluate_try_on({"grey": grey}, {"studio": [pair]}, size=SIZE)


def test_results_are_remembered_by_who_wears_what(tmp_path: Path) -> None:
    made: list[str] = []

    def method(fittings: Sequence[Fitting]) -> list[Image.Image]:
        made.extend(fitting.identifier for fitting in fittings)
        return photo(fittings)

    fittings = [*own_garments(PAIRS[:2]), *others_garments(PAIRS, seed=0)[:2]]
    assert all(isinstance(fitting, Named) for fitting in fittings)
    dress = remembered(method, tmp_path)
    first, second = dress(fittings), dress(fittings)
    assert made == [fitting.identifier for fitting in fittings]
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(first, second, strict=True))
