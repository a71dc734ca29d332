import numpy as np
import pytest

from toile.data.body_shapes import HIPS, THIGH, TORSO, body_of, draw_arms, draw_legs, draw_torso
from toile.data.pose import JOINTS, Pose
from toile.dolls import draw_doll


def pose_of(**points: tuple[float, float]) -> Pose:
    keypoints = np.zeros((18, 3), np.float32)
    for name, (x, y) in points.items():
        keypoints[JOINTS.index(name.replace("_", " "))] = x, y, 1
    return Pose(keypoints=keypoints)


def test_without_shoulders_or_hips_there_is_no_body():
    assert body_of(None) is None
    assert body_of(pose_of(nose=(10, 10), left_wrist=(5, 5))) is None
    assert body_of(pose_of(left_shoulder=(10, 10))) is None


def test_missing_joints_are_filled_in_from_the_others():
    shoulders = {"right_shoulder": (40, 50), "left_shoulder": (80, 50)}
    body = body_of(pose_of(**shoulders))
    assert body.width == 40
    np.testing.assert_allclose(body.joints["neck"], (60, 50))
    np.testing.assert_allclose(body.joints["left hip"], (60 + 40 * HIPS / 2, 50 + 40 * TORSO))
    np.testing.assert_allclose(body.joints["left knee"] - body.joints["left hip"], (0, 40 * THIGH), atol=1e-5)
    assert "left wrist" not in body.joints
    mirrored = body_of(pose_of(neck=(60, 50), right_shoulder=(40, 50)))
    np.testing.assert_allclose(mirrored.joints["left shoulder"], (80, 50))
    below = body_of(pose_of(right_hip=(49, 120), left_hip=(71, 120)))
    assert below.width == pytest.approx(22 / HIPS)
    assert below.joints["left shoulder"][1] < 60


def test_somebody_seen_from_the_side_is_not_thin():
    seen = body_of(
        pose_of(
            right_shoulder=(59, 50),
            left_shoulder=(61, 50),
            neck=(60, 50),
            right_hip=(60, 130),
            left_hip=(60, 130),
        )
    )
    assert seen.width == pytest.approx(40)


def test_shapes_follow_the_body_at_each_size():
    covered = {}
    for size in ((256, 192), (512, 384)):
        doll = draw_doll(4, size, "studio", "upper")
        body = body_of(Pose(keypoints=doll.joints))
        for draw in (draw_torso, draw_arms, draw_legs):
            canvas = np.zeros(size, np.uint8)
            draw(canvas, body)
            assert set(np.unique(canvas)) == {0, 255}
            covered[draw.__name__, size] = (canvas > 0).mean()
    for draw in ("draw_torso", "draw_arms", "draw_legs"):
        small, large = covered[draw, (256, 192)], covered[draw, (512, 384)]
        assert small == pytest.approx(large, rel=0.1) and small > 0.02


def test_arms_end_where_joints_were_not_found():
    canvas = np.zeros((200, 120), np.uint8)
    body = body_of(pose_of(right_shoulder=(40, 50), left_shoulder=(80, 50), left_elbow=(90, 90)))
    draw_arms(canvas, body)
    assert canvas[90, 90] == 255 and canvas[:, :60].max() == 0 and canvas[120:].max() == 0
