import numpy as np
import pytest

from toile.data.colour_match import FEWEST, MOST, colour_distance, inner_pixels, mismatch


def cloth(colour, count=500, spread=8, seed=0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, (count, 3))
    return (np.array(colour) + noise).clip(0, 255).astype(np.uint8)


def test_the_same_colours_are_no_distance_apart_whatever_their_order_and_number():
    red = cloth((180, 40, 40))
    assert colour_distance(red, red[::-1]) == 0
    assert colour_distance(red, cloth((180, 40, 40), count=4000, seed=1)) < 2


def test_shadow_matters_less_than_hue():
    worn, shaded, blue = cloth((160, 60, 60)), cloth((125, 47, 47)), cloth((60, 60, 160))
    assert mismatch(worn, shaded) < 0.45 < mismatch(worn, blue) == 1


def test_stripes_are_told_from_their_mean_colour():
    striped = np.concatenate([cloth((250, 250, 250)), cloth((20, 20, 20), seed=1)])
    assert mismatch(striped, cloth((128, 128, 128), count=1000)) > 0.5


def test_too_few_pixels_say_nothing():
    assert mismatch(cloth((1, 2, 3), FEWEST - 1), cloth((1, 2, 3))) is None


@pytest.mark.parametrize("size", [12, 400])
def test_the_rim_is_left_out_where_there_is_enough(size):
    picture = np.full((size, size, 3), 255, np.uint8)
    region = np.zeros((size, size), bool)
    region[2:-2, 2:-2] = True
    picture[4:-4, 4:-4] = (10, 120, 40)
    colours = inner_pixels(picture, region)
    assert len(colours) <= 2 * MOST
    assert ((colours == (10, 120, 40)).all(axis=1)).all() == (size > 20)
