import numpy as np
import pytest
from skimage.color import rgb2lab

from toile.evaluation.colour_palettes import (
    colour_distance,
    inner_region,
    lab_picture,
    leaked_share,
    main_colours,
    make_palette,
    mistaken_share,
    near_share,
    nearest_colour,
)

RED, BLUE, WHITE, GREEN = (50, 60, 40), (30, 10, -60), (98, 0, 0), (60, -50, 40)


def pixels(*parts: tuple[tuple[int, int, int], int]) -> np.ndarray:
    return np.concatenate([np.full((count, 3), colour, np.float32) for colour, count in parts])


def palette(*parts: tuple[tuple[int, int, int], int]) -> np.ndarray:
    return make_palette(pixels(*parts))


def test_lab_is_scikit_images() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 10, 3), dtype=np.uint8)
    assert np.abs(lab_picture(picture) - rgb2lab(picture)).max() < 0.01


def test_a_palette_has_the_colours_and_their_shares() -> None:
    found = palette((RED, 300), (BLUE, 100))
    assert np.allclose(sorted(found.tolist()), [[0.25, *BLUE], [0.75, *RED]])


def test_small_shares_are_left_out_and_shares_still_add_up_to_one() -> None:
    found = palette((RED, 997), (BLUE, 3))
    assert np.allclose(found, [[1, *RED]])
    scattered = make_palette(np.random.default_rng(0).uniform(-100, 100, (5000, 3)).astype(np.float32))
    assert scattered[:, 0].sum() == pytest.approx(1)


def test_main_colours_are_the_large_ones() -> None:
    assert np.allclose(main_colours(palette((RED, 97), (BLUE, 3)))[:, 1:], [RED])


def test_distance_is_what_the_colours_have_to_be_moved() -> None:
    apart = float(np.linalg.norm(np.subtract(RED, BLUE)))
    assert colour_distance(palette((RED, 10)), palette((BLUE, 10))) == pytest.approx(apart, rel=1e-4)
    half = colour_distance(palette((RED, 10)), palette((RED, 5), (BLUE, 5)))
    assert half == pytest.approx(apart / 2, rel=1e-4)
    assert colour_distance(palette((RED, 5), (BLUE, 5)), palette((BLUE, 50), (RED, 50))) < 1e-4


def test_distance_is_the_same_both_ways() -> None:
    first, second = palette((RED, 7), (WHITE, 3)), palette((BLUE, 2), (GREEN, 2), (RED, 6))
    assert colour_distance(first, second) == pytest.approx(colour_distance(second, first), rel=1e-4)


def test_nearest_colour() -> None:
    found = nearest_colour(pixels((RED, 1), (BLUE, 1)), palette((RED, 10), (WHITE, 10)))
    assert found[0] == pytest.approx(0, abs=1e-4)
    apart = [float(np.linalg.norm(np.subtract(BLUE, colour))) for colour in (RED, WHITE)]
    assert found[1] == pytest.approx(min(apart), rel=1e-5)


def test_mistaken_pixels_are_those_of_the_other_garment() -> None:
    own, other = palette((RED, 10), (WHITE, 10)), palette((BLUE, 10), (WHITE, 10))
    assert mistaken_share(pixels((RED, 5), (WHITE, 5)), own, [other]) == 0
    assert mistaken_share(pixels((RED, 5), (BLUE, 15)), own, [other]) == pytest.approx(0.75)
    assert mistaken_share(pixels((GREEN, 10)), own, [own]) == 0
    assert mistaken_share(pixels((RED, 10)), own, []) == 0


def test_more_of_the_others_colour_is_more_mistaken() -> None:
    own, others = palette((RED, 10)), [palette((BLUE, 10)), palette((GREEN, 10))]
    found = [mistaken_share(pixels((RED, 20 - n), (BLUE, n)), own, others) for n in (0, 5, 10, 20)]
    assert found == sorted(found)
    assert found[-1] == 1


def test_a_leak_is_what_is_more_than_chance() -> None:
    ground = pixels((WHITE, 10), (RED, 30))
    controls = [palette((WHITE, 1)), palette((BLUE, 1))]
    assert near_share(ground, palette((RED, 1))) == pytest.approx(0.75)
    assert leaked_share(ground, palette((RED, 1)), controls) == pytest.approx(0.75 - 0.125)
    assert leaked_share(ground, palette((WHITE, 1)), [palette((WHITE, 1))]) == 0
    assert leaked_share(ground[:0], palette((WHITE, 1)), controls) == 0


def test_the_border_of_a_region_is_left_out_unless_it_is_all_there_is() -> None:
    region = np.zeros((30, 30), bool)
    region[5:25, 5:25] = True
    assert inner_region(region).sum() == 16 * 16
    thin = np.zeros((30, 30), bool)
    thin[5:25, 5:7] = True
    assert (inner_region(thin) == thin).all()
