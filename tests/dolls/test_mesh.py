import cv2
import numpy as np

from toile.dolls.mesh import affine_coefficients, rasterise, triangles


def grids():
    """A bent grid in one picture and a straight one in the other."""
    x, y = np.meshgrid(np.linspace(10, 80, 6), np.linspace(12, 100, 7))
    straight = np.stack([x, y], axis=-1)
    bent = straight * 0.9 + np.stack([6 * np.sin(y / 20), 5 * np.cos(x / 18)], axis=-1) + 5
    return straight, bent


def test_the_map_back_is_the_inverse_of_the_map_forth():
    straight, bent = grids()
    forth, back = rasterise(straight, bent, (120, 100)), rasterise(bent, straight, (120, 100))
    inner = cv2.erode(forth.covered.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rows, columns = np.nonzero(inner)
    x, y = forth.x[rows, columns] - back.left, forth.y[rows, columns] - back.top
    again = [cv2.remap(field, x, y, cv2.INTER_LINEAR).ravel() for field in (back.x, back.y)]
    np.testing.assert_allclose(again[0], columns + forth.left, atol=0.35)
    np.testing.assert_allclose(again[1], rows + forth.top, atol=0.35)


def test_coefficients_map_corners_onto_corners():
    straight, bent = (triangles(grid) for grid in grids())
    k = affine_coefficients(straight, bent)
    for corner in range(3):
        x, y = straight[:, corner].T
        np.testing.assert_allclose(k[0] * x + k[1] * y + k[2], bent[:, corner, 0], atol=1e-9)
        np.testing.assert_allclose(k[3] * x + k[4] * y + k[5], bent[:, corner, 1], atol=1e-9)


def test_a_panel_outside_the_picture_has_no_map():
    straight, bent = grids()
    assert rasterise(straight + 500, bent, (120, 100)) is None
