"""What a mask shows by itself and beside its garment."""

import numpy as np
import pytest

from toile.data.doctor.masks import HUGGING, follows, inverted, mask_oddity, overlap, shrunk


def disc(radius: float, size: int = 100) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.hypot(x, y * 0.6) <= radius


def test_a_good_mask_is_not_odd() -> None:
    assert mask_oddity(disc(30).astype(np.uint8) * 255) is None


@pytest.mark.parametrize(
    ("values", "code"), [(0, "mask-empty"), (1, "mask-zero-one"), (100, "mask-empty"), (130, "mask-full")]
)
def test_one_value_throughout(values: int, code: str) -> None:
    found = mask_oddity(np.full((8, 8), values, np.uint8))
    assert found is not None and found[0] == code


def test_inversion_by_the_garment_and_by_the_frame() -> None:
    garment = disc(20)
    for region in (garment, None):
        assert not inverted(disc(30), region)
        assert inverted(~disc(30), region)


@pytest.mark.parametrize(("grown", "told"), [(0, True), (1, True), (2, True), (6, False)])
def test_a_grown_copy_follows_the_garment(grown: int, told: bool) -> None:
    import cv2

    garment = disc(20)
    mask = cv2.dilate(garment.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=grown) > 0
    likeness = follows(mask, garment)
    assert (likeness is not None and likeness >= HUGGING) is told


def test_a_rectangle_does_not_follow_the_garment() -> None:
    garment = disc(20)
    mask = np.zeros_like(garment)
    mask[14:86, 28:72] = True
    likeness = follows(mask, garment)
    assert likeness is None or likeness < HUGGING


def test_overlap_and_shrinking() -> None:
    empty = np.zeros((4, 4), bool)
    assert overlap(empty, empty) == 1 and overlap(empty, ~empty) == 0
    assert shrunk(disc(200, 600)).shape == (256, 256)
    assert abs(shrunk(disc(200, 600)).mean() - disc(200, 600).mean()) < 0.01
