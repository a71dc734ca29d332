import numpy as np
import pytest

from toile.data.parse_labels import LIP
from toile.data.pose import JOINTS, Pose
from toile.data.worn_garment import (
    garment_corners,
    hidden_detail,
    hidden_region,
    occlusion,
    torso_corners,
    truncation,
    turned_away,
    worn_region,
)

STANDING = {
    "right shoulder": (70, 60), "left shoulder": (120, 60), "right hip": (80, 140), "left hip": (110, 140),
}  # fmt: skip


def pose(**missing: bool) -> Pose:
    points = np.zeros((len(JOINTS), 3), np.float32)
    for name, (x, y) in STANDING.items():
        if not missing.get(name.replace(" ", "_")):
            points[JOINTS.index(name)] = x, y, 1
    return Pose(keypoints=points)


def standing(label: str = "upper") -> np.ndarray:
    """A body that one garment covers from shoulders to hips."""
    parse = np.zeros((256, 192), np.uint8)
    parse[60:145, 68:122] = LIP[label]
    return parse


def corners(category="upper", bottom=144.0) -> np.ndarray:
    return garment_corners(torso_corners(pose()), category, bottom)


def test_a_dress_that_the_parser_takes_for_a_top_and_a_skirt_is_seen():
    parse = standing()
    parse[145:200, 68:122] = LIP["skirt"]
    assert worn_region(parse, "dress").sum() == (parse > 0).sum()
    assert worn_region(parse, "upper").sum() == (parse == LIP["upper"]).sum()
    parse[0, 0] = LIP["dress"]  # one stray pixel changes nothing
    assert worn_region(parse, "dress").sum() > 1000
    assert not worn_region(standing("trousers"), "upper").any()


def test_missing_joints_follow_from_the_others():
    whole = torso_corners(pose())
    without_hips = torso_corners(pose(left_hip=True))
    without_shoulders = torso_corners(pose(right_shoulder=True))
    assert np.abs(without_hips - whole).max() <= 5 and np.abs(without_shoulders - whole).max() <= 5
    np.testing.assert_array_equal(without_hips[:2], whole[:2])
    assert torso_corners(pose(left_hip=True, right_shoulder=True)) is None


def test_what_lies_over_the_garment_hides_it():
    parse = standing()
    bare = occlusion(worn_region(parse, "upper"), hidden_region(parse, corners(), "upper"))
    for label in ("left arm", "hair", "background"):  # LIP has no bag: it is the background
        covered = parse.copy()
        covered[90:120, 80:110] = LIP[label]
        hidden = hidden_region(covered, corners(), "upper")
        assert hidden[90:120, 80:110].all()
        assert occlusion(worn_region(covered, "upper"), hidden) == pytest.approx(bare + 900 / 4590, abs=0.02)
    assert bare == 0


def test_neck_and_chest_hide_nothing_and_arms_beside_the_body_neither():
    parse = standing()
    parse[60:75, 88:102] = LIP["torso skin"]
    parse[60:170, 50:68] = LIP["right arm"]
    assert not hidden_region(parse, corners(), "upper").any()


def test_a_top_hides_the_waist_of_trousers():
    parse = standing("upper")
    parse[145:250, 70:120] = LIP["trousers"]
    low, tucked = parse.copy(), parse.copy()
    tucked[116:145, 70:120] = LIP["trousers"]
    hidden = [
        occlusion(worn_region(each, "lower"), hidden_region(each, corners("lower", 249.0), "lower"))
        for each in (low, tucked)
    ]
    assert hidden[0] > 0.15 and hidden[1] < 0.02


def test_the_background_between_legs_is_no_bag():
    parse = standing("upper")
    parse[116:250, 70:120] = LIP["trousers"]
    parse[200:250, 90:100] = LIP["background"]
    assert not hidden_region(parse, corners("lower", 249.0), "lower")[195:].any()


def test_nothing_seen_is_wholly_hidden():
    nothing = np.zeros((8, 8), bool)
    assert occlusion(nothing, nothing) == 1 and truncation(nothing) == 0


def test_truncation_counts_where_the_frame_cuts():
    worn = np.zeros((100, 80), bool)
    worn[40:90, 20:60] = True
    assert truncation(worn) == 0
    worn[90:] = worn[89]
    assert truncation(worn) == pytest.approx(40 / (60 + 40))
    assert truncation(np.ones((10, 10), bool)) == 1


def test_a_narrow_pair_of_shoulders_is_turned_away():
    assert turned_away(pose()) < 0.1
    profile = pose().keypoints.copy()
    profile[JOINTS.index("left shoulder"), 0] = 80
    assert turned_away(Pose(keypoints=profile)) > 0.7
    assert turned_away(pose(left_hip=True)) is None


def test_hiding_the_print_counts_more_than_hiding_plain_cloth():
    garment = np.full((256, 192, 3), 200, np.uint8)
    silhouette = np.zeros((256, 192), bool)
    silhouette[20:236, 20:172] = True
    garment[70:110:8, 60:130] = 20  # a print on the chest
    shares = {}
    for name, rows in {"chest": slice(70, 100), "belly": slice(110, 140)}.items():
        hidden = np.zeros((256, 192), bool)
        hidden[rows, 70:120] = True
        shares[name] = hidden_detail(hidden, corners(), garment, silhouette, (20, 20, 172, 236))
    assert shares["chest"] > 0.6 and shares["belly"] < 0.1
