import numpy as np
import pytest

from toile.data.pose import JOINTS, Pose
from toile.errors import ToileError


def pose() -> Pose:
    points = np.zeros((18, 3), np.float32)
    points[JOINTS.index("neck")] = (20, 10, 0.9)
    return Pose(keypoints=points)


def test_joints_by_name() -> None:
    assert pose().point("neck").tolist() == [20, 10]
    assert pose().found("neck")
    assert not pose().found("neck", "nose")


def test_a_pose_moves_with_its_picture() -> None:
    moved = pose().moved((2, 3), (5, 7))
    assert moved.point("neck").tolist() == [45, 37]
    assert moved.found("neck")
    assert pose().point("neck").tolist() == [20, 10]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(wrong: float) -> None:
    with pytest.raises(ToileError, match="not finite"):
        Pose(keypoints=np.full((18, 3), wrong, np.float32))
