from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.small_pairs import SIZE, striped

from toile.data.record import GarmentPair
from toile.errors import ToileError
from toile.evaluation.baselines import colour_filled_oracle, crop_and_paste, mean_garment, study
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.report import Report
from toile.evaluation.restoration import METRICS, evaluate_restoration, remembered

PAIRS = {
    "studio": [striped(seed, category) for seed in range(3) for category in ("upper", "dress")],
    "street": [striped(seed, "lower") for seed in range(10, 14)],
}


def truth(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
    return [pair.garment for pair in pairs]


def features() -> DollFeatures:
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6)).eval()


@pytest.fixture(scope="module")
def report() -> Report:
    training = study([*PAIRS["studio"], *PAIRS["street"]], SIZE)
    methods = {
        "truth": truth,
        "oracle": colour_filled_oracle(SIZE),
        "crop": crop_and_paste(SIZE),
        "mean": mean_garment(training),
    }
    return evaluate_restoration(methods, PAIRS, size=SIZE, features=features(), batch_size=2)


def test_the_truth_is_perfect(report: Report) -> None:
    for mode in PAIRS:
        means = {metric: report.interval(mode, "truth", metric).mean for metric in METRICS}
        assert means == pytest.approx(
            {"SSIM": 1, "DISTS-dolls": 0, "L1 within": 0, "edges": 1, "IoU": 1}, abs=1e-5
        )


def test_the_oracle_has_shape_and_no_edges(report: Report) -> None:
    assert report.interval("studio", "oracle", "IoU").mean == pytest.approx(1)
    assert abs(report.interval("studio", "oracle", "edges").mean) < 0.02


def test_the_truth_beats_everything_and_nothing_beats_it(report: Report) -> None:
    for other in ("oracle", "crop", "mean"):
        for metric in ("DISTS-dolls", "L1 within", "edges"):
            assert report.beats("street", "truth", other, metric)
            assert not report.beats("street", other, "truth", metric)


def test_values_belong_to_their_pairs_whatever_the_batch(report: Report) -> None:
    again = evaluate_restoration(
        {"oracle": colour_filled_oracle(SIZE)}, PAIRS, size=SIZE, features=features(), batch_size=5
    )
    for mode, pairs in PAIRS.items():
        assert sorted(report.identifiers[mode]) == sorted(pair.identifier for pair in pairs)
        assert again.identifiers[mode] == report.identifiers[mode]
        for metric in METRICS:
            assert again.values[mode]["oracle"][metric] == pytest.approx(
                report.values[mode]["oracle"][metric], abs=1e-5
            )


def test_a_method_gets_one_category_at_a_time() -> None:
    seen: list[set[str]] = []

    def spy(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        seen.append({pair.category for pair in pairs})
        return truth(pairs)

    evaluate_restoration({"spy": spy}, PAIRS, size=SIZE, features=features(), batch_size=4)
    assert seen == [{"upper"}, {"dress"}, {"lower"}]


def test_wrong_answers_are_refused() -> None:
    def too_few(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return truth(pairs)[1:]

    def too_small(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        return [pair.garment.resize((24, 32)) for pair in pairs]

    for method, message in (
        (too_few, "too_few gave 2 pictures for 3"),
        (too_small, r"a picture of \(24, 32\)"),
    ):
        with pytest.raises(ToileError, match=message):
            evaluate_restoration({method.__name__: method}, PAIRS, size=SIZE, features=features())
    with pytest.raises(ToileError, match="no pairs for street"):
        evaluate_restoration({"truth": truth}, {**PAIRS, "street": []}, size=SIZE, features=features())


def test_remembered_pictures_are_not_made_again(tmp_path: Path) -> None:
    made: list[str] = []

    def method(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        made.extend(pair.identifier for pair in pairs)
        return truth(pairs)

    restore = remembered(method, tmp_path)
    pairs = PAIRS["studio"]
    restore(pairs[:2])
    pictures = restore(pairs)
    assert made == [pair.identifier for pair in [*pairs[:2], *pairs[2:]] if pair.identifier in made]
    assert len(made) == len({(pair.source, pair.identifier) for pair in pairs})
    for picture, pair in zip(pictures[::2], pairs[::2], strict=True):
        assert (np.asarray(picture) == np.asarray(pair.garment)).all()
    assert not list(tmp_path.glob("*.part"))
