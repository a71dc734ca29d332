import numpy as np
import pytest
from tests.data.small_parser import figure, lip_labels

from toile.data.agnostic import agnostic_mask
from toile.data.automatic_mask import AutomaticMask
from toile.data.parsing import Parser
from toile.data.pose import JOINTS, Pose
from toile.errors import ToileError


@pytest.fixture(scope="module")
def parser(parser_folder) -> Parser:
    return Parser.from_pretrained(parser_folder)


def test_the_mask_of_a_bare_photo_is_that_of_its_labels(parser):
    photo, labels = figure()
    for category in ("upper", "lower"):
        mask = AutomaticMask(parser).mask_for(photo, category)
        exact = agnostic_mask(lip_labels(labels), None, category)
        assert mask.mode == "L" and mask.size == photo.size
        inside, wanted = np.asarray(mask) > 0, exact > 0
        assert (inside & wanted).sum() / (inside | wanted).sum() > 0.65


def test_options_reach_the_mask(parser):
    photo, _ = figure()
    areas = [
        np.asarray(masks.mask_for(photo, "upper")).mean()
        for masks in (
            AutomaticMask(parser, dilation=0.0),
            AutomaticMask(parser),
            AutomaticMask(parser, variant="shape-hiding"),
        )
    ]
    assert areas[0] < areas[1] < areas[2]


def test_a_garment_that_is_not_worn(parser):
    photo, _ = figure((1, 3))
    with pytest.raises(ToileError, match="category upper; give a mask, or another category"):
        AutomaticMask(parser).mask_for(photo, "upper")
    assert AutomaticMask(parser).mask_for(photo, "lower").getbbox() is not None


class Stander:
    """Finds the joints of a figure that stands where the drawn one does."""

    def __call__(self, photos: object) -> list[Pose | None]:
        keypoints = np.zeros((18, 3), np.float32)
        for name, point in {"right shoulder": (18, 26), "left shoulder": (46, 26)}.items():
            keypoints[JOINTS.index(name)] = *point, 1
        return [Pose(keypoints=keypoints)]


def test_with_joints_a_body_without_the_garment_has_a_mask_too(parser):
    photo, _ = figure((1, 3))
    mask = np.asarray(AutomaticMask(parser, Stander()).mask_for(photo, "upper")) > 0
    assert mask[30:50, 20:44].all()
    with pytest.raises(ToileError, match="category hat"):
        AutomaticMask(parser, Stander()).mask_for(photo, "hat")
