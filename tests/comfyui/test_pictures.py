import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toile.comfyui.pictures import from_masks, from_pictures, repeated, to_masks, to_pictures
from toile.errors import ToileError

PHOTO = Image.new("RGB", (32, 64))


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_bytes_survive_both_ways(batch, height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    images = from_pictures([Image.fromarray(picture) for picture in pixels])
    assert images.shape == (batch, height, width, 3)
    again = np.stack([np.asarray(picture) for picture in to_pictures(images)])
    assert (again == pixels).all()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_channels_become_modes(channels, mode):
    images = noise(2, 6, 4, channels)
    pictures = to_pictures(images)
    assert [(picture.mode, picture.size) for picture in pictures] == [(mode, (4, 6))] * 2
    pixels = np.asarray(pictures[1], np.float32).reshape(6, 4, channels) / 255
    assert np.abs(pixels - images[1].numpy()).max() <= 0.5 / 255 + 1e-6


def test_a_picture_without_a_batch_is_one():
    assert len(to_pictures(noise(6, 4, 3))) == 1


def test_half_precision_and_values_beyond_are_taken():
    images = torch.tensor([-0.2, 1.3, 0.5], dtype=torch.float16).reshape(1, 1, 1, 3)
    assert to_pictures(images)[0].getpixel((0, 0)) == (0, 255, 128)


@pytest.mark.parametrize("shape", [(4,), (6, 4), (1, 6, 4, 2), (0, 6, 4, 3), (1, 2, 6, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ToileError, match=r"the photo has the shape .*; connect an IMAGE"):
        to_pictures(torch.zeros(shape), "the photo")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value):
    images = noise(1, 4, 4, 3)
    images[0, 1, 2, 0] = value
    with pytest.raises(ToileError, match="no numbers"):
        to_pictures(images)


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(ToileError, match="no pixels"):
        to_pictures(torch.zeros(1, 0, 4, 3))


def test_one_in_a_mask_is_white():
    mask = torch.zeros(1, 64, 32)
    mask[0, 10:20, 5:15] = 1
    (picture,) = to_masks(mask, [PHOTO])
    assert picture.mode == "L" and picture.getbbox() == (5, 10, 15, 20)
    assert (from_masks([picture]) == mask).all()


@pytest.mark.parametrize("shape", [(64, 32), (1, 64, 32), (1, 64, 32, 1)])
def test_masks_come_in_several_shapes(shape):
    assert to_masks(torch.ones(shape), [PHOTO])[0].size == (32, 64)


def test_one_mask_serves_every_photo():
    assert len(to_masks(torch.ones(1, 64, 32), [PHOTO] * 3)) == 3


def test_a_mask_of_another_scale_is_made_to_fit():
    mask = torch.zeros(1, 32, 16)
    mask[0, 8:16] = 1
    (picture,) = to_masks(mask, [PHOTO])
    assert picture.size == (32, 64)
    rows = np.flatnonzero(np.asarray(picture).max(axis=1) >= 128)
    assert (rows[0], rows[-1]) == (16, 31)


def test_a_mask_of_another_aspect_is_refused():
    with pytest.raises(ToileError, match="32×32 pixels and its photo 32×64"):
        to_masks(torch.ones(1, 32, 32), [PHOTO])


def test_the_empty_mask_of_load_image_is_explained():
    with pytest.raises(ToileError, match=r"marks nothing .*disconnect"):
        to_masks(torch.zeros(1, 64, 64), [PHOTO])


def test_masks_of_another_shape_are_refused():
    with pytest.raises(ToileError, match="connect a MASK"):
        to_masks(torch.ones(4), [PHOTO])


def test_batches_have_to_go_together():
    assert repeated([PHOTO], 3, "the person") == [PHOTO] * 3
    with pytest.raises(ToileError, match="the person is a batch of 2 beside a batch of 3"):
        repeated([PHOTO] * 2, 3, "the person")
