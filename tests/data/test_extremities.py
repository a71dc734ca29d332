import numpy as np
import pytest

from toile.data.body_shapes import body_of
from toile.data.extremities import beyond_joint, far_end
from toile.data.parse_labels import LIP
from toile.data.pose import Pose
from toile.dolls import draw_doll


def test_the_end_of_a_bent_limb_is_found_by_walking_along_it():
    limb = np.zeros((100, 100), bool)
    limb[10:70, 10:20] = limb[60:70, 10:60] = limb[20:70, 50:60] = True  # down, across, and up again
    end = far_end(limb, np.array([15.0, 0.0]), 15)
    assert end.any() and (end <= limb).all()
    assert end[22, 55] and not end[65, 55] and not end[12, 15]


def test_short_limbs_are_all_hand_and_limbs_that_leave_the_photo_have_none():
    limb = np.zeros((100, 100), bool)
    limb[50:60, 40:50] = True
    assert (far_end(limb, np.array([45.0, 0.0]), 10) == limb).all()
    limb[10:, 40:50] = True
    assert not far_end(limb, np.array([45.0, 0.0]), 10).any()
    assert not far_end(np.zeros((10, 10), bool), np.array([1.0, 1.0]), 3).any()


def test_beyond_the_wrist():
    doll = draw_doll(5, (256, 192), "studio", "upper")
    pose = Pose(keypoints=doll.joints)
    body, arm = body_of(pose), doll.parse == LIP["left arm"]
    hand = beyond_joint(arm, body, "left", "arm")
    rows, columns = np.nonzero(hand)
    far = np.hypot(*(np.stack([columns, rows], 1) - pose.point("left wrist")).T)
    assert hand.sum() > 0 and far.max() < body.width
    assert beyond_joint(arm, body_of(_without(pose, "left wrist")), "left", "arm") is None


def _without(pose: Pose, name: str) -> Pose:
    from toile.data.pose import JOINTS

    keypoints = pose.keypoints.copy()
    keypoints[JOINTS.index(name), 2] = 0
    return Pose(keypoints=keypoints)


@pytest.mark.parametrize("size", [(256, 192), (1024, 768)])
def test_with_and_without_joints_the_hands_are_about_the_same(size):
    """A doll in short sleeves with both arms hanging down."""
    doll = draw_doll(20, size, "studio", "upper")
    body, arm = body_of(Pose(keypoints=doll.joints)), doll.parse == LIP["right arm"]
    by_joints = beyond_joint(arm, body, "right", "arm")
    by_shape = far_end(arm, body.joints["neck"], 0.45 * body.width)
    assert (by_joints & by_shape).sum() > 0.5 * (by_joints | by_shape).sum()
