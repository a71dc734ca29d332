from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toile.data.agnostic import MASK_CATEGORIES, VARIANTS, agnostic_mask, body_width, labels, worn_garment
from toile.data.body_shapes import body_of
from toile.data.parse_labels import LIP
from toile.data.pose import Pose
from toile.dolls import Doll, draw_doll
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "viton-hd-mini"
SEEDS = range(20, 25)
FITTED = {"upper": 0.80, "lower": 0.65, "dress": 0.93, "hat": 0.90}
"""IoU with exact masks that a fitted one has to reach from parse map and joints."""


@cache
def dolls(category: str) -> list[Doll]:
    named = category if category != "hat" else None
    drawn = [draw_doll(seed, (256, 192), "street" if seed % 2 else "studio", named) for seed in SEEDS]
    return [doll for doll in drawn if category in doll.garments and worn_garment(doll.parse, category).any()]


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return float(((first > 0) & (second > 0)).sum() / ((first > 0) | (second > 0)).sum())


@pytest.mark.parametrize("category", MASK_CATEGORIES)
def test_fitted_masks_are_near_the_exact_ones(category):
    with_pose, alone = [], []
    for doll in dolls(category):
        exact = doll.garments[category].agnostic_mask
        with_pose.append(iou(agnostic_mask(doll.parse, Pose(keypoints=doll.joints), category), exact))
        alone.append(iou(agnostic_mask(doll.parse, None, category), exact))
    assert len(with_pose) >= 2 and np.mean(with_pose) > FITTED[category]
    assert np.mean(alone) > FITTED[category] - 0.15


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("category", MASK_CATEGORIES)
def test_the_garment_is_covered_and_face_hair_and_shoes_are_not(category, variant):
    for doll in dolls(category):
        for pose in (Pose(keypoints=doll.joints), None):
            mask = agnostic_mask(doll.parse, pose, category, variant=variant)
            assert mask.shape == doll.parse.shape and set(np.unique(mask)) == {0, 255}
            assert (mask[worn_garment(doll.parse, category)] == 255).all()
            kept = labels("face", "left shoe", "right shoe")
            kept |= labels("hair") if category != "hat" else frozenset()
            assert not mask[np.isin(doll.parse, list(kept))].any()


def test_fitted_masks_leave_other_garments_and_hands():
    doll = draw_doll(24, (256, 192), "studio", "upper")
    pose = Pose(keypoints=doll.joints)
    upper, lower = (agnostic_mask(doll.parse, pose, category) for category in ("upper", "lower"))
    assert not upper[doll.parse == LIP["trousers"]].any() and not lower[doll.parse == LIP["upper"]].any()
    bare = draw_doll(20, (256, 192), "studio", "upper")  # in a tank top
    mask = agnostic_mask(bare.parse, Pose(keypoints=bare.joints), "upper")
    arm = mask[bare.parse == LIP["left arm"]] > 0
    assert 0.5 < arm.mean() < 0.95


def test_shape_hiding_masks_and_boxes_give_less_away():
    """The masks of one body in two shirts, by sleeves and length, are alike."""
    from dataclasses import replace

    from toile.dolls.draw import render
    from toile.dolls.scene import sample_scene

    alike = {variant: [] for variant in VARIANTS}
    for seed in (20, 24, 28):
        scene, other = (sample_scene(number, "studio", "upper") for number in (seed, seed + 1))
        spec = next(spec for spec in other.garments if spec.category == "upper")
        worn = tuple(spec if own.category == "upper" else own for own in scene.garments)
        both = render(scene, (256, 192)), render(replace(scene, garments=worn), (256, 192))
        for variant in VARIANTS:
            masks = [
                agnostic_mask(doll.parse, Pose(keypoints=doll.joints), "upper", variant=variant)
                for doll in both
            ]
            alike[variant].append(iou(*masks))
    assert np.mean(alike["shape-hiding"]) > np.mean(alike["fitted"]) + 0.03
    assert np.mean(alike["rectangle"]) > np.mean(alike["fitted"])


def test_a_dress_takes_the_place_of_an_upper_and_a_lower_garment():
    dress = draw_doll(20, (256, 192), "studio", "dress")
    assert (worn_garment(dress.parse, "upper") == (dress.parse == LIP["dress"])).all()
    both = draw_doll(20, (256, 192), "studio", "upper")
    assert worn_garment(both.parse, "dress").sum() > worn_garment(both.parse, "upper").sum()
    assert (worn_garment(both.parse, "upper") == (both.parse == LIP["upper"])).all()


def test_dilation_widens():
    doll = draw_doll(24, (256, 192), "studio", "upper")
    pose = Pose(keypoints=doll.joints)
    areas = [(agnostic_mask(doll.parse, pose, "upper", dilation=far) > 0).mean() for far in (0, 0.12, 0.5)]
    assert areas[0] < areas[1] < areas[2]


def test_masks_scale_with_the_photo():
    found = []
    for size in ((256, 192), (512, 384)):
        doll = draw_doll(24, size, "studio", "upper")
        found.append(agnostic_mask(doll.parse, Pose(keypoints=doll.joints), "upper"))
    small = np.asarray(Image.fromarray(found[1]).resize((192, 256), Image.Resampling.NEAREST))
    assert iou(found[0], small) > 0.95


def test_the_width_is_guessed_without_a_pose():
    ratios = [
        body_width(doll.parse) / body_of(Pose(keypoints=doll.joints)).width
        for doll in dolls("upper") + dolls("dress")
    ]
    assert 0.8 < np.mean(ratios) < 1.25 and min(ratios) > 0.6 and max(ratios) < 1.6
    assert body_width(np.zeros((10, 10), np.uint8)) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category": "shoe"}, "category 'shoe' is unknown; write one of upper, lower, dress, hat"),
        ({"variant": "round"}, "variant 'round' is unknown; write one of fitted, rectangle, shape-hiding"),
        ({"dilation": -0.1}, "dilation is -0.1; it must lie between 0 and 2"),
        ({"dilation": float("nan")}, "dilation is nan"),
        ({"category": "hat"}, "nothing is labelled as a garment of the category hat"),
    ],
)
def test_what_cannot_be_done_is_refused(change, message):
    from jaxtyping import TypeCheckError

    arguments = {"parse": np.full((20, 20), LIP["upper"], np.uint8), "pose": None, "category": "upper"}
    with pytest.raises((ToileError, TypeCheckError)) as caught:
        agnostic_mask(**arguments | change)
    assert message in str(caught.value) or "variant" in change


def test_joints_alone_suffice_where_no_garment_is_seen():
    doll = draw_doll(24, (256, 192), "studio", "upper")
    bare = np.where(doll.parse == LIP["upper"], np.uint8(LIP["torso skin"]), doll.parse)
    mask = agnostic_mask(bare, Pose(keypoints=doll.joints), "upper")
    assert iou(mask, doll.agnostic_mask) > 0.7
    with pytest.raises(ToileError, match="nothing is labelled"):
        agnostic_mask(bare, None, "upper")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real samples are not there")
def test_the_published_mask_of_viton_hd():
    from toile.data.open import open_pairs

    pair = {pair.identifier: pair for pair in open_pairs(f"{SAMPLES}:test")}["00006_00"]
    parse, published = np.asarray(pair.parse), np.asarray(pair.mask)
    assert iou(agnostic_mask(parse, pair.pose, "upper"), published) > 0.88
    assert iou(agnostic_mask(parse, None, "upper"), published) > 0.82
