import dataclasses

import numpy as np
import pytest

from toile.dolls import Hardness, draw_doll
from toile.dolls.draw import render
from toile.dolls.outfit import Placement
from toile.dolls.scene import Arm, Camera, Scene, sample_scene

EASY = Hardness(occlusion=0.1, truncation=0.0, side_view=0.0, extreme_proportion=0.0)
SIZE = (128, 96)


def scene_with(**changes: object) -> Scene:
    """An upper garment with arms that hang, changed where a test wants it."""
    calm = sample_scene(4, "studio", "upper")
    hanging = Arm(name="hanging", upper=20.0, fore=8.0, layer="side", hand=True)
    pose = dataclasses.replace(calm.pose, right=hanging, left=hanging)
    return dataclasses.replace(calm, **{"pose": pose, "bag": None, **changes})


def with_placement(scene: Scene, placement: Placement) -> Scene:
    garments = tuple(dataclasses.replace(spec, placement=placement) for spec in scene.garments)
    return dataclasses.replace(scene, garments=garments)


def test_arms_in_front_raise_the_occlusion():
    crossed = Arm(name="crossed", upper=12.0, fore=-95.0, layer="front", hand=True)
    plain = scene_with()
    hidden = dataclasses.replace(plain, pose=dataclasses.replace(plain.pose, right=crossed, left=crossed))
    assert render(hidden, SIZE).hardness.occlusion > render(plain, SIZE).hardness.occlusion + 0.05


def test_a_close_camera_raises_the_truncation():
    far, near = (
        scene_with(camera=Camera(zoom=1.2, shift=(0.375, 0.05))),
        scene_with(camera=Camera(zoom=2.6, shift=(0.7, -0.3))),
    )
    assert render(far, SIZE).hardness.truncation == 0
    assert render(near, SIZE).hardness.truncation > 0.15
    assert "truncation" in render(near, SIZE).hardness.labels


def test_side_views_and_extreme_proportions_are_told_apart():
    side = with_placement(
        scene_with(), Placement(width_factor=0.5, height_factor=1.0, shear=0.2, margin=0.05)
    )
    narrow = with_placement(
        scene_with(), Placement(width_factor=0.45, height_factor=1.0, shear=0.0, margin=0.05)
    )
    first, second = render(side, SIZE).hardness, render(narrow, SIZE).hardness
    assert (first.side_view, first.extreme_proportion) == (pytest.approx(0.5), 0.0)
    assert (second.side_view, second.extreme_proportion) == (0.0, pytest.approx(0.55))


@pytest.mark.parametrize("name", ["occlusion", "truncation", "side_view", "extreme_proportion"])
def test_each_kind_alone_makes_a_pair_hard(name):
    assert not EASY.is_hard
    hard = dataclasses.replace(EASY, **{name: 0.9})
    assert hard.labels == (name,)
    assert hard.is_hard


def test_a_fifth_to_a_third_of_the_studio_pairs_are_hard():
    drawn = [draw_doll(seed, (64, 48)).hardness for seed in range(70)]
    assert 0.17 < np.mean([hardness.is_hard for hardness in drawn]) < 0.35
    assert all(0 <= value <= 1 for hardness in drawn for value in dataclasses.astuple(hardness))
