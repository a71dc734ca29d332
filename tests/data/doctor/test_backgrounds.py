"""What lies around a garment."""

import numpy as np

from toile.data.doctor.backgrounds import darkest_channel, white_share, white_sides


def garment(background: tuple[int, int, int]) -> np.ndarray:
    picture = np.empty((80, 60, 3), np.uint8)
    picture[:] = background
    picture[20:60, 15:45] = (30, 60, 200)
    return picture


def test_white_and_not() -> None:
    assert white_share(garment((250, 250, 250))) == (1.0, (250, 250, 250))
    assert white_share(garment((250, 240, 220))) == (0.0, (250, 240, 220))


def test_a_silhouette_says_where_the_background_is() -> None:
    cropped = garment((255, 255, 255))[:, 15:45]  # the garment touches both sides
    background = np.ones((80, 30), bool)
    background[20:60] = False
    assert white_share(cropped)[0] < 0.8 < white_share(cropped, background)[0]


def test_sides() -> None:
    assert white_sides(garment((255, 255, 255))) == 4
    assert white_sides(garment((255, 255, 255))[:60]) == 3
    assert white_sides(garment((90, 90, 90))) == 0


def test_the_darkest_channel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert (darkest_channel(picture) == picture.min(axis=2)).all()
