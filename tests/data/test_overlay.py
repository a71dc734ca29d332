import numpy as np
from PIL import Image

from toile.data.overlay import COLOUR, lay_over


def test_the_inside_is_tinted_the_edge_drawn_and_the_rest_left():
    photo = Image.new("RGB", (60, 80), (10, 200, 30))
    mask = Image.new("L", (60, 80), 0)
    mask.paste(255, (10, 20, 40, 60))
    laid = np.asarray(lay_over(photo, mask))
    assert (laid[:19] == (10, 200, 30)).all() and (laid[:, 45:] == (10, 200, 30)).all()
    assert (laid[20, 10:40] == COLOUR).all()
    inside = laid[40, 25].astype(int)
    assert (abs(inside - np.array(COLOUR)) < abs(np.array((10, 200, 30)) - np.array(COLOUR))).all()
    assert (np.asarray(photo)[40, 25] == (10, 200, 30)).all()


def test_an_empty_mask_changes_nothing():
    photo = Image.new("RGB", (6, 8), "red")
    assert (np.asarray(lay_over(photo, Image.new("L", (6, 8), 0))) == np.asarray(photo)).all()
