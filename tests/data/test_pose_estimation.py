from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import picture
from tests.data.small_networks import detector, segformer, vitpose

from toile.data import pose_estimation
from toile.data.pose import JOINTS
from toile.data.pose_estimation import COCO_17, PoseEstimator, coco_18
from toile.errors import ToileError


def coco_17() -> np.ndarray:
    return np.array([(3 * i, 2 * i, 0.9) for i in range(17)], np.float32)


def test_joints_keep_their_names() -> None:
    points = coco_17()
    rows = coco_18(points, (100, 100))
    for number, name in enumerate(COCO_17):
        assert (rows[JOINTS.index(name)] == points[number]).all()


def test_the_neck_lies_between_the_shoulders() -> None:
    points = coco_17()
    points[COCO_17.index("left shoulder")] = (40, 10, 0.5)
    points[COCO_17.index("right shoulder")] = (20, 20, 0.8)
    assert coco_18(points, (100, 100))[JOINTS.index("neck")].tolist() == [30, 15, 0.5]


def test_uncertain_joints_and_those_outside_are_not_found() -> None:
    points = coco_17()
    points[0, 2] = 0.2
    rows = coco_18(points, (40, 100))  # ends before x = 40
    assert not rows[JOINTS.index("nose")].any()
    assert not rows[JOINTS.index("left ankle")].any()
    assert rows[JOINTS.index("left eye")].any()


@pytest.mark.parametrize("experts", [1, 6])
def test_a_saved_vitpose_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experts: int) -> None:
    """ViTPose, and ViTPose+ with its experts."""
    vitpose(tmp_path, experts)
    monkeypatch.setattr(pose_estimation, "LEAST_CONFIDENCE", 1e-6)
    estimator = PoseEstimator.from_pretrained(tmp_path, detector=None)
    photos = [picture(1), picture(2, (90, 40))]
    poses = estimator(photos)
    for photo, pose in zip(photos, poses, strict=True):
        assert pose is not None
        assert (pose.keypoints[:, 0] < photo.width).all()
    alone = estimator(photos[1:])[0]
    assert alone is not None and poses[1] is not None
    np.testing.assert_allclose(alone.keypoints, poses[1].keypoints, atol=1e-3)


def test_the_detector_says_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vitpose(tmp_path / "vitpose")
    detector(tmp_path / "detector")
    monkeypatch.setattr(pose_estimation, "LEAST_CONFIDENCE", 1e-6)
    estimator = PoseEstimator.from_pretrained(tmp_path / "vitpose", detector=tmp_path / "detector")
    assert estimator.detector is not None
    photo = picture(1)
    box = estimator.detector([photo])[0]
    pose = estimator([photo])[0]
    if box is None:
        assert pose is None
    else:
        expected = estimator.estimate(photo, box)
        assert pose is not None and expected is not None
        assert (pose.keypoints == expected.keypoints).all()


def test_other_models_are_refused(tmp_path: Path) -> None:
    segformer(tmp_path / "segformer")
    with pytest.raises(ToileError, match="is a segformer; give a ViTPose"):
        PoseEstimator.from_pretrained(tmp_path / "segformer", detector=None)
    vitpose(tmp_path / "hands", keypoints=21)
    with pytest.raises(ToileError, match="has 21 keypoints"):
        PoseEstimator.from_pretrained(tmp_path / "hands", detector=None)
