import pickle

import numpy as np
import pytest
from PIL import Image

from toile.data.augmentation import (
    AugmentationSettings,
    AugmentedPairs,
    AugmentedPictures,
    Change,
    draw_change,
    recoloured,
)
from toile.data.doll_pairs import DollPairs
from toile.data.parse_labels import LIP
from toile.data.pose import JOINTS
from toile.errors import ToileError

NOTHING = dict.fromkeys(("flip", "shift", "zoom", "brightness", "contrast", "saturation", "hue"), 0.0)
STILL = Change(flip=False, shift=(0, 0), zoom=1, brightness=1, contrast=1, saturation=1, hue=0)
KINDS = ("person", "garment", "mask", "silhouette", "parse")


@pytest.fixture(scope="module")
def pairs() -> DollPairs:
    return DollPairs(4, 6, size=(128, 96))


def changed(pairs, index=0, **change) -> AugmentedPictures:
    settings = {name: getattr(STILL, name) for name in STILL.__dataclass_fields__}
    return AugmentedPictures(pictures=pairs[index].pictures, change=Change(**settings | change))


def test_no_change_leaves_every_picture_as_it_was(pairs):
    augmented = AugmentedPairs(pairs, AugmentationSettings(**NOTHING))
    for kind in KINDS:
        np.testing.assert_array_equal(getattr(augmented[2], kind), getattr(pairs[2], kind))
    np.testing.assert_array_equal(augmented[2].pose.keypoints, pairs[2].pose.keypoints)


def test_flipping_twice_gives_everything_back(pairs):
    once = changed(pairs, flip=True)
    twice = AugmentedPictures(pictures=once, change=once.change)
    for kind in KINDS:
        np.testing.assert_array_equal(getattr(twice, kind)(), getattr(pairs[0], kind))
        assert (np.asarray(getattr(once, kind)()) != np.asarray(getattr(pairs[0], kind))).any()
    np.testing.assert_allclose(twice.pose().keypoints, pairs[0].pose.keypoints, atol=1e-4)


def test_a_flip_swaps_left_and_right(pairs):
    before, after = pairs[0], changed(pairs, flip=True)
    for right, left in (("right arm", "left arm"), ("right leg", "left leg"), ("right shoe", "left shoe")):
        mirrored = np.asarray(before.parse)[:, ::-1] == LIP[right]
        np.testing.assert_array_equal(np.asarray(after.parse()) == LIP[left], mirrored)
    left = after.pose().point("left shoulder")
    np.testing.assert_allclose(left, [95, 0] + before.pose.point("right shoulder") * [-1, 1])
    assert left[0] > after.pose().point("right shoulder")[0]  # the person's left stays on the picture's right


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("zoom", [0.7, 1.0, 1.3])
def test_photo_mask_parse_and_joints_move_together(pairs, flip, zoom):
    """A photo whose pixels hold their own mask and labels, and a dot at a joint, tells where all went."""
    pair = pairs[1]
    x, y = np.rint(pair.pose.point("neck")).astype(int)

    class Marked:
        def __getattr__(self, name):
            return getattr(pair.pictures, name)

        def person(self):
            marks = np.stack(
                [pair.mask, np.full((128, 96), 255, np.uint8), np.zeros((128, 96), np.uint8)], axis=2
            )
            marks[y - 1 : y + 2, x - 1 : x + 2, 2] = 255
            return Image.fromarray(marks)

    settings = {name: getattr(STILL, name) for name in STILL.__dataclass_fields__}
    change = Change(**settings | {"flip": flip, "zoom": zoom, "shift": (0.1, -0.05)})
    moved = AugmentedPictures(pictures=Marked(), change=change)
    photo = np.asarray(moved.person()).astype(int)
    inside = photo[..., 2] < 255  # not the white around it
    agree = (photo[..., 0] >= 128) == (np.asarray(moved.mask()) >= 128)
    assert agree[inside].mean() > 0.99
    dot = np.argwhere((photo[..., 2] > 128) & (photo[..., 2] < 256) & _within(photo, margin=2))[:, ::-1]
    joint = moved.pose().point("neck")
    assert np.abs(dot.mean(axis=0) - joint).max() <= 1
    labels = np.asarray(moved.parse())
    ground = ~_within(photo, margin=-1)
    assert ground.any() or zoom > 1
    assert (labels[ground] == LIP["background"]).all()
    assert set(np.unique(labels)) <= set(range(len(LIP)))


def _within(photo, margin: int) -> np.ndarray:
    """The box of what is not white, less a margin on each side."""
    rows, columns = np.nonzero(~(photo == 255).all(axis=2))
    box = np.zeros(photo.shape[:2], bool)
    top, left = max(0, rows.min() + margin), max(0, columns.min() + margin)
    box[top : rows.max() + 1 - margin, left : columns.max() + 1 - margin] = True
    return box


def test_shift_and_zoom_leave_the_flat_garment_alone(pairs):
    moved = changed(pairs, shift=(0.2, 0.1), zoom=1.2)
    np.testing.assert_array_equal(moved.garment(), pairs[0].garment)
    np.testing.assert_array_equal(moved.silhouette(), pairs[0].silhouette)


def test_joints_that_leave_the_frame_are_not_found(pairs):
    away = changed(pairs, shift=(0.0, 0.9)).pose()
    assert not away.found("left hip") and pairs[0].pose.found("left hip")
    assert (away.keypoints[:, 2] <= pairs[0].pose.keypoints[:, 2]).all()
    assert away.keypoints.shape == (len(JOINTS), 3)


def test_one_colour_becomes_one_colour_in_photo_and_garment(pairs):
    change = Change(flip=False, shift=(0, 0), zoom=1, brightness=0.9, contrast=1.2, saturation=0.7, hue=12)
    colour = (40, 120, 180)
    alone = recoloured(Image.new("RGB", (4, 4), colour), change)
    among = Image.new("RGB", (4, 4), "white")
    among.putpixel((1, 1), colour)
    assert recoloured(among, change).getpixel((1, 1)) == alone.getpixel((0, 0)) != colour
    garment = np.asarray(AugmentedPictures(pictures=pairs[0].pictures, change=change).garment())
    inside = np.asarray(pairs[0].silhouette) > 0
    assert (garment[~inside] == 255).all()
    assert (garment[inside] != np.asarray(pairs[0].garment)[inside]).any()


def test_what_each_colour_change_means():
    def of(colour, **change):
        settings = {name: getattr(STILL, name) for name in STILL.__dataclass_fields__}
        return recoloured(Image.new("RGB", (1, 1), colour), Change(**settings | change)).getpixel((0, 0))

    assert of((100, 50, 20), brightness=1.1) == (110, 55, 22)
    assert of((100, 50, 20), contrast=0.5) == (114, 89, 74)
    assert len(set(of((100, 50, 20), saturation=0.0))) == 1
    assert of((90, 90, 90), saturation=0.3, hue=40) == (90, 90, 90)
    red, green, _ = of((200, 60, 60), hue=60)
    turned_back = of((200, 60, 60), hue=-60)
    assert (red, green) != (200, 60) and turned_back != (200, 60, 60)


def test_the_change_is_a_function_of_seed_epoch_and_index(pairs):
    settings = AugmentationSettings()
    long = AugmentedPairs(pairs, settings, seed=3, epochs=3)
    resumed = AugmentedPairs(pairs, settings, seed=3, first_epoch=2)
    assert len(long) == 18
    assert [long.change(12 + row) for row in range(6)] == [resumed.change(row) for row in range(6)]
    assert long[13].identifier == pairs[1].identifier
    np.testing.assert_array_equal(long[13].person, resumed[1].person)
    assert len({long.change(index) for index in range(18)}) == 18
    assert draw_change(settings, 3, 2, 1) != draw_change(settings, 4, 2, 1)
    assert pickle.loads(pickle.dumps(long)).change(7) == long.change(7)  # it travels to reading processes


def test_half_of_the_pairs_are_flipped_and_every_part_stays_in_its_range(pairs):
    settings = AugmentationSettings()
    changes = [draw_change(settings, 0, 0, index) for index in range(400)]
    assert 160 < sum(change.flip for change in changes) < 240
    assert all(abs(part) <= 0.1 for change in changes for part in change.shift)
    assert all(0.9 <= change.zoom <= 1.1 and abs(change.hue) <= 5 for change in changes)


@pytest.mark.parametrize("wrong", [{"flip": 1.5}, {"shift": 1.0}, {"hue": -1.0}, {"zoom": float("nan")}])
def test_senseless_settings_are_refused(wrong):
    with pytest.raises(ToileError, match=next(iter(wrong))):
        AugmentationSettings(**wrong)


def test_senseless_epochs_are_refused(pairs):
    with pytest.raises(ToileError, match="epochs 0"):
        AugmentedPairs(pairs, AugmentationSettings(), epochs=0)
