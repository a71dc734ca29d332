import numpy as np
import pytest
from tests.evaluation.small_pairs import BOXES, SIZE, striped

from toile.data.curation import bounding_box
from toile.errors import ToileError
from toile.evaluation.baselines import (
    colour_filled_oracle,
    crop_and_paste,
    crop_and_place,
    mean_garment,
    nearest,
    nearest_garment,
    study,
)

PAIRS = [striped(seed, category) for seed in range(4) for category in ("upper", "lower")]


def drawn(picture) -> np.ndarray:
    return (np.asarray(picture).min(axis=2) < 245).astype(np.uint8) * 255


def test_crop_and_paste_fills_the_canvas_with_the_masked_photo() -> None:
    picture = crop_and_paste(SIZE)([striped(1)])[0]
    assert picture.size == (SIZE[1], SIZE[0])
    left, top, right, bottom = bounding_box(drawn(picture)) or (0, 0, 0, 0)
    assert (left, right) == (0, 48)
    assert bottom - top == pytest.approx(48, abs=1)
    background = np.asarray(picture)[top:bottom].reshape(-1, 3)
    assert (background != (150, 140, 130)).any(axis=1).mean() > 0.99


def test_crop_and_place_puts_it_where_garments_lie() -> None:
    place = crop_and_place(study(PAIRS, SIZE), SIZE)
    pair = striped(1, "lower")
    picture = place([pair])[0]
    assert bounding_box(drawn(picture)) == pytest.approx(BOXES["lower"], abs=1)
    assert np.abs(np.asarray(picture, dtype=int) - np.asarray(pair.garment, dtype=int)).mean() < 12


def test_the_oracle_knows_shape_and_mean_colour_only() -> None:
    pair = striped(2)
    filled = np.asarray(colour_filled_oracle(SIZE)([pair])[0])
    inside = np.asarray(pair.silhouette) == 255
    assert (filled[~inside] == 255).all()
    assert len(np.unique(filled[inside], axis=0)) == 1
    assert filled[inside][0] == pytest.approx(np.asarray(pair.garment)[inside].mean(axis=0), abs=0.5)


def test_the_mean_garment_is_the_mean_of_its_category() -> None:
    training = study(PAIRS, SIZE)
    found = np.asarray(mean_garment(training)([striped(9, "lower")])[0]).astype(float)
    expected = np.mean([np.asarray(pair.garment) for pair in PAIRS if pair.category == "lower"], axis=0)
    assert np.abs(found - expected).max() <= 0.5


def test_the_nearest_garment_is_found_wherever_it_is_worn() -> None:
    training = study(PAIRS, SIZE)
    moved = striped(2, "lower", place=(25, 30))
    assert nearest(training, moved) == PAIRS.index(next(p for p in PAIRS if p == striped(2, "lower")))
    picture = nearest_garment(training, SIZE)([moved])[0]
    assert (np.asarray(picture) == np.asarray(striped(2, "lower").garment)).all()


def test_another_category_is_refused() -> None:
    training = study(PAIRS, SIZE)
    assert set(training.mean) == {"upper", "lower"}
    for method in (mean_garment(training), nearest_garment(training, SIZE), crop_and_place(training, SIZE)):
        with pytest.raises(ToileError, match="'dress'"):
            method([striped(1, "dress")])


def test_nothing_to_study_is_refused() -> None:
    with pytest.raises(ToileError, match="none of the 0"):
        study([], SIZE)
