"""Joints on disk: OpenPose's JSON in BODY_25 and COCO-18, and DressCode's own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from jaxtyping import Float32

from toile.data.pose import JOINTS, Pose
from toile.dolls.poses import BODY_25_FROM_COCO, DRESSCODE_HEIGHT, DRESSCODE_WIDTH
from toile.errors import ToileError
from toile.files import write_text

PERSON_KEYS = ("pose_keypoints_2d", "pose_keypoints")
"""What OpenPose calls a person's joints: today, and until its version 1.0."""
BODY_25_COUNT = 25
Rows = Float32[np.ndarray, "18 3"]


def read_openpose(path: Path | str) -> Pose | None:
    """Read the joints of a photo's main person, in pixels of the photo that OpenPose was given.

    BODY_25 (75 numbers) and COCO-18 (54) are told apart by their length; of BODY_25, the middle of the hips
    and the feet are left out. Of several people, the one with the most certain joints is taken (Ours:
    VITON-HD takes the first, which OpenPose puts in no stated order).

    Source: OpenPose, doc/02_output.md and src/openpose/pose/poseParameters.cpp.

    Returns:
        None when the file says that there is nobody in the photo.

    Raises:
        ToileError: when the file is missing or damaged, or holds other numbers of joints.
    """
    path = Path(path)
    people = _read_object(path).get("people")
    if not isinstance(people, list):
        raise ToileError(f'{path} has no list "people"; give a JSON file as OpenPose writes it')
    poses = [_person(path, person) for person in people]
    found = [rows for rows in poses if (rows[:, 2] > 0).any()]
    if not found:
        return None
    return Pose(keypoints=max(found, key=lambda rows: float(rows[:, 2].sum())))


def read_dresscode_pose(path: Path | str, photo_size: tuple[int, int]) -> Pose | None:
    """Read DressCode's joints: rows of x, y, score and number, at 384×512 pixels whatever the photo's size.

    Source: DressCode's data/dataset.py, which scales them by width / 384 and height / 512 and skips rows
    with coordinates of at most 1.

    Args:
        path: the file, as `keypoints/000001_2.json`.
        photo_size: (width, height) of the photo, into whose pixels the joints are scaled.

    Returns:
        None when no joint was found.

    Raises:
        ToileError: when the file is missing or damaged, or has other than 18 joints.
    """
    path = Path(path)
    values = _numbers(path, _read_object(path).get("keypoints"))
    if values.size != len(JOINTS) * 4:
        raise ToileError(
            f"{path} holds {values.size} numbers; DressCode's keypoints are 18 rows of x, y, score and number"
        )
    rows = values.reshape(len(JOINTS), 4)[:, :3]
    rows[(rows[:, :2] <= 1).all(axis=1)] = 0
    scale = photo_size[0] / DRESSCODE_WIDTH, photo_size[1] / DRESSCODE_HEIGHT
    return Pose(keypoints=_checked(path, rows)).moved(scale, (0, 0)) if rows[:, 2].any() else None


def write_openpose(pose: Pose | None, path: Path) -> None:
    """Write joints as OpenPose's BODY_25, with zeros for feet, face and hands; None writes a file of nobody.

    Raises:
        ToileError: when the file cannot be written.
    """
    people = [] if pose is None else [_body_25(pose)]
    write_text(json.dumps({"version": 1.3, "people": people}), path)


def _person(path: Path, person: object) -> Rows:
    """One person's joints in COCO-18's order."""
    numbers = next((person[key] for key in PERSON_KEYS if key in person), None) if _is_map(person) else None
    values = _numbers(path, numbers)
    if values.size == len(JOINTS) * 3:
        return _checked(path, values.reshape(len(JOINTS), 3))
    if values.size == BODY_25_COUNT * 3:
        rows = values.reshape(BODY_25_COUNT, 3)
        kept = [place for place, joint in enumerate(BODY_25_FROM_COCO) if joint is not None]
        return _checked(path, rows[kept])
    raise ToileError(
        f"{path} holds a person of {values.size} numbers; BODY_25 has 75 (25 joints) and COCO-18 has 54"
    )


def _body_25(pose: Pose) -> dict[str, Any]:
    rows = np.zeros((BODY_25_COUNT, 3), np.float32)
    for place, joint in enumerate(BODY_25_FROM_COCO):
        if joint is not None:
            rows[place] = pose.keypoints[joint]
        elif pose.found("right hip", "left hip"):
            hips = pose.keypoints[[JOINTS.index("right hip"), JOINTS.index("left hip")]]
            rows[place] = [*hips[:, :2].mean(axis=0), hips[:, 2].min()]
    return {
        "person_id": [-1],
        "pose_keypoints_2d": [round(float(value), 6) for value in rows.flatten()],
        "face_keypoints_2d": [],
        "hand_left_keypoints_2d": [],
        "hand_right_keypoints_2d": [],
    }


def _checked(path: Path, rows: Float32[np.ndarray, "18 3"]) -> Rows:
    """Confidences clipped to [0, 1], and zeros where a joint was not found."""
    if not np.isfinite(rows).all():
        raise ToileError(f"{path} holds numbers that are not finite; write it again")
    certain = rows[:, 2:].clip(0, 1)
    return np.asarray(np.concatenate([rows[:, :2], certain], axis=1) * (certain > 0), np.float32)


def _numbers(path: Path, values: object) -> Float32[np.ndarray, " N"]:
    if isinstance(values, Sequence) and not isinstance(values, str):
        try:
            return np.asarray(values, np.float32).flatten()
        except (ValueError, TypeError, OverflowError):
            pass
    raise ToileError(f"{path} holds joints that are no list of numbers; write the file again")


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ToileError(f"{path} does not exist; check the name") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ToileError(f"{path} is no readable JSON ({error}); write the file again") from error
    if not _is_map(content):
        raise ToileError(f"{path} is not a JSON object; give a file of joints")
    return dict(content)


def _is_map(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
