import json

import numpy as np
from tests.dolls.gallery import doll

from toile.dolls.poses import dresscode_json, openpose_json, skeleton_picture


def test_body_25_has_the_coco_joints_in_its_own_order():
    joints = doll(42).joints.copy()
    joints[4, 2] = 0
    person = json.loads(openpose_json(joints))["people"][0]
    points = np.array(person["pose_keypoints_2d"]).reshape(25, 3)
    np.testing.assert_allclose(points[0, :2], joints[0, :2], atol=1e-3)
    assert (points[4] == 0).all()
    np.testing.assert_allclose(points[5, :2], joints[5, :2], atol=1e-3)
    if joints[8, 2] and joints[11, 2]:
        np.testing.assert_allclose(points[8, :2], joints[[8, 11], :2].mean(axis=0), atol=1e-2)
        np.testing.assert_allclose(points[9, :2], joints[8, :2], atol=1e-3)
    np.testing.assert_allclose(points[15, :2], joints[14, :2], atol=1e-3)
    assert (points[19:] == 0).all()


def test_dresscode_joints_are_at_512_by_384():
    joints = doll(42).joints.copy()
    joints[7, 2] = 0
    rows = np.array(json.loads(dresscode_json(joints, (256, 192)))["keypoints"])
    assert rows.shape == (18, 4)
    np.testing.assert_allclose(rows[0, :2], joints[0, :2] * 2, atol=1e-2)
    assert rows[7].tolist() == [-1, -1, 0, -1]


def test_the_skeleton_is_drawn():
    assert 0.005 < (skeleton_picture(doll(42).joints, (256, 192)) > 0).any(axis=-1).mean() < 0.3
