import cv2
import numpy as np
from tests.dolls.gallery import dolls

from toile.dolls.masks import LIP


def test_the_agnostic_mask_covers_the_worn_garment():
    for drawn in dolls():
        for garment in drawn.garments.values():
            assert (garment.agnostic_mask[garment.worn > 0] == 255).all()
            assert set(np.unique(garment.agnostic_mask)) <= {0, 255}


def test_the_agnostic_mask_is_roomy_and_does_not_betray_the_silhouette():
    for drawn in dolls():
        worn, mask = drawn.garments[drawn.category].worn > 0, drawn.agnostic_mask > 0
        if worn.sum() > 500:
            assert mask.sum() > 1.1 * worn.sum()
            assert mask.mean() < 0.9


def test_face_hands_and_shoes_are_kept():
    for drawn in dolls():
        free = drawn.garments[drawn.category].worn == 0
        for name in ("face", "left shoe", "right shoe"):
            assert not drawn.agnostic_mask[(drawn.parse == LIP[name]) & free].any()


def test_the_mask_of_an_upper_garment_takes_the_bare_arms_and_leaves_the_legs():
    arms = legs = 0
    for drawn in dolls():
        if drawn.category != "upper":
            continue
        mask = drawn.agnostic_mask > 0
        arms += mask[np.isin(drawn.parse, (LIP["left arm"], LIP["right arm"]))].sum()
        legs += mask[np.isin(drawn.parse, (LIP["left leg"], LIP["right leg"]))].sum()
    assert arms > 500
    assert legs == 0


def test_the_parse_map_says_the_same_as_the_worn_masks():
    labels = {"upper": ["upper"], "lower": ["trousers", "skirt"], "dress": ["dress"], "hat": ["hat"]}
    for drawn in dolls():
        for name, garment in drawn.garments.items():
            here = np.isin(drawn.parse, [LIP[label] for label in labels[name]])
            assert np.array_equal(here, garment.worn > 0)
        assert set(np.unique(drawn.parse)) <= set(LIP.values())


def test_the_persons_right_is_on_the_left_of_the_picture():
    sides = []
    for drawn in dolls():
        for right, left in (("right shoe", "left shoe"), ("right leg", "left leg")):
            columns = [np.nonzero(drawn.parse == LIP[name])[1] for name in (right, left)]
            if all(len(found) > 20 for found in columns):
                sides.append(columns[0].mean() < columns[1].mean())
    assert len(sides) > 3
    assert all(sides)


def test_the_parse_map_follows_the_picture():
    """The background label and the person differ in colour along the outline: the edges coincide."""
    for drawn in dolls()[:8]:
        edges = (
            cv2.morphologyEx(
                (drawn.parse > 0).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
            )
            > 0
        )
        grey = cv2.cvtColor(drawn.person, cv2.COLOR_RGB2GRAY).astype(float)
        steep = np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))
        assert steep[edges].mean() > 3 * steep[drawn.parse == 0].mean()
