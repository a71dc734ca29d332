import json
from pathlib import Path

import numpy as np
import pytest

from toile.data.openpose_files import read_dresscode_pose, read_openpose, write_openpose
from toile.data.pose import JOINTS, Pose
from toile.dolls import draw_doll
from toile.dolls.poses import dresscode_json, openpose_json
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples" / "viton-256-mini" / "test"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the sample photos are not beside the repository"
)


def coco_18(path: Path, *people: list[float], key: str = "pose_keypoints_2d") -> Path:
    path.write_text(json.dumps({"people": [{key: list(numbers)} for numbers in people]}))
    return path


def person(confidence: float) -> list[float]:
    return [value for joint in range(18) for value in (joint + 1.0, 2.0 * joint, confidence)]


def test_dolls_body_25_is_read(tmp_path: Path) -> None:
    doll = draw_doll(42)
    (tmp_path / "a.json").write_text(openpose_json(doll.joints))
    pose = read_openpose(tmp_path / "a.json")
    assert pose is not None
    seen = doll.joints[:, 2] > 0
    assert ((pose.keypoints[:, 2] > 0) == seen).all()
    np.testing.assert_allclose(pose.keypoints[seen, :2], doll.joints[seen, :2], atol=1e-3)
    assert not pose.keypoints[~seen].any()


def test_dresscodes_joints_are_scaled_to_the_photo(tmp_path: Path) -> None:
    doll = draw_doll(42)
    (tmp_path / "a.json").write_text(dresscode_json(doll.joints, doll.size))
    pose = read_dresscode_pose(tmp_path / "a.json", (768, 1024))
    assert pose is not None
    seen = (doll.joints[:, 2] > 0) & (doll.joints[:, :2] > 1).any(axis=1)
    np.testing.assert_allclose(pose.keypoints[seen, :2], doll.joints[seen, :2] * 4, atol=0.02)
    assert not pose.keypoints[doll.joints[:, 2] == 0].any()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    points = np.array(person(0.75), np.float32).reshape(18, 3)
    points[4] = 0
    write_openpose(Pose(keypoints=points), tmp_path / "a.json")
    numbers = json.loads((tmp_path / "a.json").read_text())["people"][0]["pose_keypoints_2d"]
    assert len(numbers) == 75
    hips = points[[JOINTS.index("right hip"), JOINTS.index("left hip")]].mean(axis=0)
    np.testing.assert_allclose(numbers[24:27], hips, atol=1e-5)
    found = read_openpose(tmp_path / "a.json")
    assert found is not None
    np.testing.assert_allclose(found.keypoints, points, atol=1e-5)


def test_nobody(tmp_path: Path) -> None:
    write_openpose(None, tmp_path / "a.json")
    assert read_openpose(tmp_path / "a.json") is None
    assert read_openpose(coco_18(tmp_path / "b.json", person(0))) is None


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_the_most_certain_person_is_taken(tmp_path: Path, key: str) -> None:
    other = [value + 100 for value in person(0.3)]
    other[2::3] = [0.3] * 18
    pose = read_openpose(coco_18(tmp_path / "a.json", other, person(0.8), key=key))
    assert pose is not None
    assert pose.keypoints[0].tolist() == [1.0, 0.0, np.float32(0.8)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no readable JSON"),
        ("[]", "not a JSON object"),
        ("{}", 'no list "people"'),
        ('{"people": [{}]}', "no list of numbers"),
        ('{"people": [3]}', "no list of numbers"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "a person of 2 numbers"),
        ('{"people": [{"pose_keypoints_2d": ["a"]}]}', "no list of numbers"),
        (json.dumps({"people": [{"pose_keypoints_2d": [float("nan")] * 54}]}), "not finite"),
    ],
)
def test_damage_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ToileError, match=message):
        read_openpose(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="does not exist"):
        read_openpose(tmp_path / "a.json")
    (tmp_path / "b.json").write_text('{"keypoints": [[1, 2, 3, 4]]}')
    with pytest.raises(ToileError, match="holds 4 numbers"):
        read_dresscode_pose(tmp_path / "b.json", (384, 512))


@needs_samples
def test_both_formats_of_the_samples_say_the_same() -> None:
    """OpenPose's BODY_25 of 60 real photos, and the same joints as COCO-18."""
    files = sorted((SAMPLES / "openpose_json").iterdir())
    assert len(files) == 60
    for path in files:
        body, coco = read_openpose(path), read_openpose(SAMPLES / "pose-coco18" / path.name)
        assert body is not None and coco is not None
        np.testing.assert_allclose(body.keypoints, coco.keypoints, atol=1e-3)
