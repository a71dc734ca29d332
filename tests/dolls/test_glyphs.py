import numpy as np
import pytest

from toile.dolls.fill import fill_polygons
from toile.dolls.glyphs import LETTERS, logo_polygons, word_polygons
from toile.dolls.outfit import LOGOS, WORDS


def test_every_word_can_be_written():
    assert set("".join(WORDS)) <= set(LETTERS)


def test_letters_differ():
    pictures = {}
    for letter in LETTERS:
        pictures[letter] = fill_polygons(word_polygons(letter, (20.0, 20.0), 30.0), (40, 40)).astype(float)
    names = list(pictures)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            assert np.abs(pictures[first] - pictures[second]).mean() > 3, first + second


def test_a_word_is_centred():
    points = np.concatenate(word_polygons("MOON", (3.0, 5.0), 2.0))
    np.testing.assert_allclose((points.min(axis=0) + points.max(axis=0)) / 2, (3.0, 5.0), atol=0.02)


@pytest.mark.parametrize("name", LOGOS)
def test_logos_fit_their_height(name):
    points = np.concatenate([shape for shape, filled in logo_polygons(name, (0.0, 0.0), 2.0) if filled])
    assert np.abs(points).max() <= 1.25
    assert 1.4 < np.ptp(points[:, 1]) <= 2.1
