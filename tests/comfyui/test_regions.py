import pytest
import torch
from PIL import Image
from tests.comfyui.calls import call

from toile.bundled import is_bundled
from toile.comfyui.regions import chosen_masks, shown_masks
from toile.data import automatic_mask
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.models import Models

PHOTOS = [Image.new("RGB", (32, 64))] * 2


@pytest.fixture(scope="module")
def finder() -> Atelier:
    return Atelier(Models(device="cpu"))


def test_a_connected_mask_wins():
    assert [mask.size for mask in chosen_masks(torch.ones(1, 64, 32), True, PHOTOS)] == [(32, 64)] * 2
    assert chosen_masks(None, True, PHOTOS) == ["auto"] * 2
    assert chosen_masks(None, False, PHOTOS) == [None] * 2


def test_no_mask_is_the_whole_photo():
    shown = shown_masks([None, Image.new("L", (32, 64))], PHOTOS)
    assert shown.mean(dim=(1, 2)).tolist() == [1, 0]


@pytest.mark.skipif(not is_bundled("igr"), reason="the bundled weights have not been trained yet")
def test_masks_are_found(finder, doll):
    drawn = [doll(index, size=(256, 192)) for index in range(2)]
    photo, truth = (torch.cat([one[number] for one in drawn]) for number in (0, 2))
    (found,) = call("ToileFindMask", models=finder, photo=photo)
    assert found.shape == truth.shape
    overlap = (found * truth).sum((1, 2)) / torch.maximum(found, truth).sum((1, 2))
    assert float(overlap.min()) > 0.5


@pytest.mark.skipif(not is_bundled("igr"), reason="the bundled weights have not been trained yet")
def test_nothing_to_find_is_said(finder, monkeypatch):
    monkeypatch.setitem(automatic_mask.LEAST_SHARE, "dress", 1.1)  # no garment is larger than its photo
    with pytest.raises(ToileError, match=r"finds no garment \(dress\); choose another category"):
        call("ToileFindMask", models=finder, photo=torch.ones(1, 64, 48, 3), category="dress")
