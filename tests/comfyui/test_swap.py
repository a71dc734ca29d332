import pytest
import torch
from tests.comfyui.calls import apart, call

from toile.errors import ToileError


@pytest.mark.parametrize("through", ["twgtm", "igr"])
def test_what_one_wears_goes_to_another(models, doll, through):
    (wearer, _, wearer_mask, _), (target, _, target_mask, _) = doll(0), doll(1)
    worn, garment, used, notes = call(
        "ToileSwap",
        models=models,
        wearer=wearer,
        target=target,
        wearer_mask=wearer_mask,
        target_mask=target_mask,
        through=through,
    )
    assert worn.shape == garment.shape == (1, 64, 32, 3)
    assert torch.equal(used, target_mask) and notes == ""
    if through == "twgtm":
        again = call("ToileTakeOff", models=models, photo=wearer)[0]
        assert apart(garment, again) <= 1.01


def test_one_wearer_serves_several_targets(models, doll):
    wearer, targets = doll(0)[0], torch.cat([doll(1)[0], doll(2)[0]])
    masks = torch.cat([doll(1)[2], doll(2)[2]])
    worn, garments, *_ = call("ToileSwap", models=models, wearer=wearer, target=targets, target_mask=masks)
    assert len(worn) == len(garments) == 2


def test_the_mask_that_does_not_fit_is_named(models, doll):
    with pytest.raises(ToileError, match="the target's mask marks nothing"):
        call(
            "ToileSwap",
            models=models,
            wearer=doll(0)[0],
            target=doll(1)[0],
            target_mask=torch.zeros(1, 64, 48),
        )
