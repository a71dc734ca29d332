"""Joints in the formats of OpenPose, VITON-HD and DressCode."""

import json

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

Joints = Float32[np.ndarray, "18 3"]

BODY_25_FROM_COCO = (0, 1, 2, 3, 4, 5, 6, 7, None, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
"""For BODY_25's first 19 points the COCO-18 joint; None is the middle of the hips. Six foot points stay 0."""
DRESSCODE_HEIGHT, DRESSCODE_WIDTH = 512, 384
"""DressCode gives its joints in pixels of this size, whatever the size of the pictures."""
BONES = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip


def openpose_json(joints: Joints) -> str:
    """OpenPose's BODY_25 file of one person; joints outside the frame are zeros, as are feet, face, hands."""
    points: list[float] = []
    for source in BODY_25_FROM_COCO:
        if source is None:
            hips = joints[[8, 11]]
            x, y, seen = np.append(hips[:, :2].mean(axis=0), hips[:, 2].min())
        else:
            x, y, seen = joints[source]
        points += [round(float(x), 3), round(float(y), 3), 1.0] if seen else [0, 0, 0]
    person = {
        "person_id": [-1],
        "pose_keypoints_2d": points + [0] * 18,
        "face_keypoints_2d": [0] * 210,
        "hand_left_keypoints_2d": [0] * 63,
        "hand_right_keypoints_2d": [0] * 63,
        "pose_keypoints_3d": [],
        "face_keypoints_3d": [],
        "hand_left_keypoints_3d": [],
        "hand_right_keypoints_3d": [],
    }
    return json.dumps({"version": 1.3, "people": [person]})


def dresscode_json(joints: Joints, size: tuple[int, int]) -> str:
    """DressCode's file: 18 rows [x, y, score, number], (-1, -1, 0, -1) for a joint outside the frame."""
    scale = DRESSCODE_WIDTH / size[1], DRESSCODE_HEIGHT / size[0]
    rows = [
        [round(float(x) * scale[0], 3), round(float(y) * scale[1], 3), 1.0, float(number)]
        if seen
        else [-1, -1, 0.0, -1]
        for number, (x, y, seen) in enumerate(joints)
    ]
    return json.dumps({"keypoints": rows})


def skeleton_picture(joints: Joints, size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """The joints as a stick figure in OpenPose's rainbow, RGB on black."""
    hues = np.array([[[round(170 * index / len(BONES)), 255, 255] for index in range(len(BONES))]], np.uint8)
    colours = cv2.cvtColor(hues, cv2.COLOR_HSV2RGB)[0]
    picture = np.zeros((*size, 3), np.uint8)
    thick = max(1, round(size[0] / 128))
    for (start, end), colour in zip(BONES, colours, strict=True):
        if joints[start, 2] and joints[end, 2]:
            a, b = (tuple(round(float(v)) for v in joints[index, :2]) for index in (start, end))
            cv2.line(picture, a, b, [int(part) for part in colour], thick, cv2.LINE_AA)
    return picture
