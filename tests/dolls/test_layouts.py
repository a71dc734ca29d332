import numpy as np
from tests.dolls.gallery import doll

from toile.dolls.layouts import DRESSCODE_LABELS, dresscode_labels, file_contents, file_names
from toile.dolls.masks import LIP


def test_every_label_has_a_translation():
    assert set(DRESSCODE_LABELS) == set(LIP)
    translated = dresscode_labels(np.array([[LIP["upper"], LIP["left leg"], LIP["background"]]], np.uint8))
    assert translated.tolist() == [[4, 12, 0]]


def test_names_are_those_of_the_public_datasets():
    viton = {str(path) for path in file_names(7, "viton-hd", "test", "upper").values()}
    assert {"test/image/00000007_00.jpg", "test/agnostic-mask/00000007_00_mask.png"} <= viton
    assert "test/openpose_json/00000007_00_keypoints.json" in viton
    dresscode = {str(path) for path in file_names(7, "dresscode", "test", "lower").values()}
    assert {"lower_body/images/000007_0.jpg", "lower_body/images/000007_1.jpg"} <= dresscode
    assert {"lower_body/label_maps/000007_4.png", "lower_body/keypoints/000007_2.json"} <= dresscode


def test_the_agnostic_picture_is_grey_under_the_mask():
    drawn = doll(42)
    names = file_names(42, "viton-hd", "train", "upper")
    picture = np.array(file_contents(drawn, names)[names["agnostic"]])
    mask = drawn.agnostic_mask > 0
    assert (picture[mask] == 128).all()
    assert np.array_equal(picture[~mask], drawn.person[~mask])
