import pytest

from toile.dolls.dice import Dice
from toile.dolls.palette import COLOURS, contrasting, distance, luminance, three_colours


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_has_a_contrast(name):
    other = COLOURS[contrasting(Dice(0, name), name)]
    assert abs(luminance(other) - luminance(COLOURS[name])) > 60
    assert distance(other, COLOURS[name]) > 120


def test_three_colours_differ():
    for seed in range(50):
        assert len(set(three_colours(Dice(seed, "colours")))) == 3
