import numpy as np

from toile.data.pose import JOINTS, Pose
from toile.data.pose_drawing import COLOURS, draw_pose
from toile.dolls import draw_doll


def test_each_joint_has_its_colour_where_it_is() -> None:
    doll = draw_doll(42, size=(512, 384))
    drawn = np.asarray(draw_pose(Pose(keypoints=doll.joints), (512, 384)))
    for number, (x, y, seen) in enumerate(doll.joints):
        apart = np.hypot(*(doll.joints[:, :2] - (x, y)).T)
        if seen and np.sort(apart)[1] > 10:  # no other joint is drawn over it
            assert tuple(drawn[round(float(y)), round(float(x))]) == COLOURS[number], JOINTS[number]


def test_limbs_are_darker_and_lie_between_their_joints() -> None:
    points = np.zeros((18, 3), np.float32)
    points[JOINTS.index("neck")] = (100, 100, 1)
    points[JOINTS.index("right shoulder")] = (40, 100, 1)
    drawn = np.asarray(draw_pose(Pose(keypoints=points), (512, 384)))
    assert tuple(drawn[100, 70]) == (153, 0, 0)
    assert not drawn[120:].any()


def test_what_was_not_found_is_not_drawn() -> None:
    assert not np.asarray(draw_pose(None, (64, 48))).any()
    assert not np.asarray(draw_pose(Pose(keypoints=np.zeros((18, 3), np.float32)), (64, 48))).any()


def test_joints_beyond_the_frame_do_no_harm() -> None:
    points = np.tile(np.array([-500, 900, 1], np.float32), (18, 1))
    assert not np.asarray(draw_pose(Pose(keypoints=points), (64, 48))).any()
