import numpy as np
import pytest

from toile.dolls.cuts import build_cut
from toile.dolls.dice import Dice
from toile.dolls.flat import draw_cloth
from toile.dolls.outfit import (
    PATTERNS,
    sample_dress,
    sample_hat,
    sample_lower,
    sample_placement,
    sample_upper,
)
from toile.dolls.palette import COLOURS

SIZE = (96, 72)


def garments(category, count=60):
    for seed in range(count):
        dice = Dice(seed, "test", category)
        if category == "hat":
            yield sample_hat(dice)
        else:
            sample = {"upper": sample_upper, "lower": sample_lower, "dress": sample_dress}[category]
            yield sample(dice, sample_placement(dice))


@pytest.mark.parametrize("category", ["upper", "lower", "dress", "hat"])
def test_a_garment_that_is_called_patterned_shows_its_second_colour(category):
    for spec in garments(category):
        cut = build_cut(spec)
        cloth = draw_cloth(spec, cut, SIZE)
        pixels = cloth.albedo[:, cloth.coverage > 200]
        main, second = (np.array(COLOURS[name])[:, None] for name in spec.texture.colours[:2])
        near = np.abs(pixels - second).max(axis=0) < np.abs(pixels - main).max(axis=0)
        if not spec.texture.one_coloured:
            assert near.mean() > 0.04, (spec.cut, spec.texture)


@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
def test_every_pattern_and_many_cuts_turn_up(category):
    found = list(garments(category, 250))
    assert {spec.texture.pattern for spec in found} >= set(PATTERNS)
    assert len({(spec.cut, spec.length, spec.fit, spec.sleeve, spec.neckline) for spec in found}) > 15
