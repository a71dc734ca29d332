import numpy as np
import pytest
import torch
from tests.comfyui.calls import call

from toile.dolls import draw_doll
from toile.errors import ToileError


def test_a_doll_is_drawn_with_what_is_known_of_it():
    photo, garment, mask, caption = call("ToileDoll", seed=10_000_001, category="lower", mode="street")
    doll = draw_doll(10_000_001, (256, 192), "street", "lower")
    assert photo.shape == garment.shape == (1, 256, 192, 3)
    assert (np.round(photo[0].numpy() * 255) == doll.person).all()
    assert (np.round(garment[0].numpy() * 255) == doll.garment).all()
    assert torch.equal(mask[0] > 0.5, torch.from_numpy(doll.agnostic_mask > 127))
    assert caption == doll.caption


def test_the_seed_may_decide_the_category():
    assert torch.equal(call("ToileDoll", category="any")[0], call("ToileDoll")[0])


def test_sizes_that_cannot_be_drawn_are_said():
    with pytest.raises(ToileError):
        call("ToileDoll", height=8, width=8)
