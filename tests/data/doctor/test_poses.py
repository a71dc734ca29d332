"""Pose files as OpenPose and DressCode write them, and with mistakes."""

import json

import numpy as np
import pytest

from toile.data.doctor.poses import pose_oddities
from toile.dolls.poses import dresscode_json, openpose_json

JOINTS = np.column_stack([np.linspace(10, 80, 18), np.linspace(5, 120, 18), np.ones(18)]).astype(np.float32)


def codes(content: object, size: tuple[int, int] | None = (96, 128)) -> list[str]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return [code for code, _ in pose_oddities(data, size)]


def test_healthy_files() -> None:
    assert codes(openpose_json(JOINTS).encode()) == []
    assert codes(dresscode_json(JOINTS, (128, 96)).encode(), (384, 512)) == []
    assert codes({"people": [{"pose_keypoints": [float(value) for value in JOINTS.ravel()]}]}) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "pose-damaged"),
        (b"[" * 100_000, "pose-damaged"),
        ([], "pose-damaged"),
        ({"people": [{}]}, "pose-damaged"),
        ({"people": [{"pose_keypoints_2d": ["x"] * 75}]}, "pose-damaged"),
        (b'{"people": [{"pose_keypoints_2d": [' + b"NaN," * 74 + b"1]}]}", "pose-damaged"),
        ({"keypoints": [[0, 0, 0]] * 18}, "pose-damaged"),
        ({"people": []}, "pose-without-people"),
        ({"people": [{"pose_keypoints_2d": [0.4, 0.5, 1.0] * 25}]}, "pose-outside"),
        ({"people": [{"pose_keypoints_2d": [400, 500, 1.0] * 25}]}, "pose-outside"),
    ],
)
def test_mistakes(content: object, code: str) -> None:
    assert codes(content) == [code]
