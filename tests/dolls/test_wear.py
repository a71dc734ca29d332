"""The warp is exact: it goes from the flat garment to the person, and the colours are found there."""

import cv2
import numpy as np
import pytest
from tests.dolls.gallery import dolls

from toile.dolls.cuts import build_cut
from toile.dolls.draw import render
from toile.dolls.flat import draw_cloth
from toile.dolls.scene import sample_scene

SIZE = (256, 192)


@pytest.mark.parametrize("mode", ["studio", "street"])
@pytest.mark.parametrize("seed", range(4))
def test_the_person_has_the_flat_colours_where_the_warp_points(seed, mode):
    scene = sample_scene(seed, mode, None)
    drawn = render(scene, SIZE, lit=False)
    for spec in scene.garments:
        garment = drawn.garments[spec.category]
        inner = cv2.erode(garment.warp_visible.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        if inner.sum() < 200:
            continue
        flat = draw_cloth(spec, build_cut(spec), SIZE).albedo.transpose(1, 2, 0)
        # The person shows the cloth smaller, with softer edges: any colour from around the point is right.
        low, high = (morph(flat, np.ones((7, 7), np.uint8)) for morph in (cv2.erode, cv2.dilate))
        found = cv2.remap(drawn.person, garment.warp[..., 0], garment.warp[..., 1], cv2.INTER_LINEAR).astype(
            float
        )
        error = np.maximum(np.maximum(low - found, found - high), 0).max(axis=-1)[inner]
        assert np.median(np.abs(found - flat).mean(axis=-1)[inner]) < 6
        assert (error > 12).mean() < 0.03


def test_a_wrong_warp_would_be_noticed():
    scene = sample_scene(2, "studio", None)
    drawn = render(scene, SIZE, lit=False)
    spec = scene.garments[0]
    garment = drawn.garments[spec.category]
    flat = draw_cloth(spec, build_cut(spec), SIZE).albedo.transpose(1, 2, 0)
    inner = cv2.erode(garment.warp_visible.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    errors = []
    for shift in (0, 8):
        found = cv2.remap(drawn.person, garment.warp[..., 0], garment.warp[..., 1] + shift, cv2.INTER_LINEAR)
        errors.append(np.abs(found.astype(float) - flat).mean(axis=-1)[inner].mean())
    assert errors[1] > 2 * errors[0]


def test_visible_points_land_on_worn_pixels():
    for drawn in dolls():
        for garment in drawn.garments.values():
            x, y = (np.rint(garment.warp[garment.warp_visible][:, axis]).astype(int) for axis in (0, 1))
            assert (garment.worn[y, x] == 255).all()


def test_the_warp_covers_exactly_the_silhouette():
    for drawn in dolls():
        for garment in drawn.garments.values():
            assert np.array_equal(np.isfinite(garment.warp).all(axis=-1), garment.silhouette == 255)
            assert not garment.warp_visible[garment.silhouette == 0].any()


def test_most_of_the_worn_pixels_are_reached():
    for drawn in dolls():
        garment = drawn.garments[drawn.category]
        reached = np.zeros(SIZE, np.uint8)
        points = np.rint(garment.warp[garment.warp_visible]).astype(int)
        reached[points[:, 1], points[:, 0]] = 1
        reached = cv2.dilate(reached, np.ones((5, 5), np.uint8))
        assert (reached[garment.worn > 0] > 0).mean() > 0.9
