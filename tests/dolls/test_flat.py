import cv2
import numpy as np
from tests.dolls.gallery import dolls

from toile.dolls.cuts import build_cut
from toile.dolls.flat import flat_frame
from toile.dolls.scene import sample_scene


def test_everything_outside_the_silhouette_is_pure_white():
    for drawn in dolls():
        for garment in drawn.garments.values():
            assert (garment.image[garment.silhouette == 0] == 255).all()
            assert set(np.unique(garment.silhouette)) == {0, 255}


def test_the_silhouette_is_one_piece_in_the_middle_of_the_picture():
    for drawn in dolls():
        count, _, boxes, _ = cv2.connectedComponentsWithStats((drawn.silhouette > 0).astype(np.uint8))
        assert count == 2
        left, top, width, height = boxes[1][:4]
        assert abs(left + width / 2 - 96) < 4
        assert abs(top + height / 2 - 128) < 4


def test_the_silhouette_has_the_garments_pixels():
    for drawn in dolls():
        coloured = (drawn.garment < 250).any(axis=-1)
        assert (coloured & (drawn.silhouette > 0)).sum() > 0.8 * (drawn.silhouette > 0).sum()


def test_the_inverse_of_a_frame():
    for seed in range(6):
        spec = sample_scene(seed, "studio", "upper").garments[-1]
        frame = flat_frame(build_cut(spec), spec.placement, (256, 192))
        columns, rows = np.array([[3.0, 50.0]]), np.array([[7.0], [90.0]])
        x, y = frame.inverse(columns, rows)
        back = frame(np.stack(np.broadcast_arrays(x, y), axis=-1))
        np.testing.assert_allclose(back[..., 0], np.broadcast_to(columns, (2, 2)), atol=1e-9)
        np.testing.assert_allclose(back[..., 1], np.broadcast_to(rows, (2, 2)), atol=1e-9)
