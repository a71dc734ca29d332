import numpy as np
import pytest
import torch
from PIL import Image

from toile.diffusion.photos import listed, prepare_photos, prepare_pictures, repeated
from toile.errors import ToileError

SIZE = (64, 32)


@pytest.fixture
def wide() -> Image.Image:
    """80×50 pixels of noise: 20 rows of a canvas of 32×64."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8))


def test_pictures_are_fitted_and_padded_with_white(wide):
    pictures = prepare_pictures([wide, np.asarray(wide)], SIZE)
    assert pictures.shape == (2, 3, *SIZE) and torch.equal(pictures[0], pictures[1])
    assert (pictures[:, :, :22] == 1).all() and (pictures[:, :, 42:] == 1).all()
    assert pictures.min() < -0.5 and pictures.max() == 1


def test_padding_is_never_garment(wide):
    pictures, masks = prepare_photos(wide, None, SIZE)
    assert torch.equal(pictures, prepare_pictures(wide, SIZE))
    assert masks.mean(dim=(1, 3))[0].tolist() == [0] * 22 + [1] * 20 + [0] * 22


def test_each_photo_has_its_own_mask(wide):
    mask = Image.new("L", wide.size)
    mask.paste(255, (40, 0, 80, 50))  # the right half
    _, masks = prepare_photos([wide, wide], [mask, None], SIZE)
    assert masks.mean(dim=(1, 2)).gt(0).int().tolist() == [[0] * 16 + [1] * 16, [1] * 32]


@pytest.mark.parametrize(
    ("person", "mask", "message"),
    [
        (None, None, "nothing to work from"),
        ([], None, "at least one photo"),
        ([Image.new("RGB", (4, 4))], [None, None], "1 photos and 2 masks"),
    ],
)
def test_what_does_not_belong_together_is_refused(person, mask, message):
    with pytest.raises(ToileError, match=message):
        prepare_photos(person, mask, SIZE)


def test_no_pictures_are_refused():
    with pytest.raises(ToileError, match="at least one"):
        prepare_pictures([], SIZE)


def test_one_for_all_or_one_for_each():
    assert listed("a") == ["a"] and listed(("a", "b")) == ["a", "b"]
    assert repeated("a", 2) == ["a", "a"] and repeated(["a", "b"], 2) == ["a", "b"]
    with pytest.raises(ToileError, match="3 values were given for 2 items"):
        repeated([1, 2, 3], 2)
