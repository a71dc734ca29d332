import pytest
import torch
from tests.small_models import LATENT, small_unet, unet_inputs

from toile.diffusion.input_channels import with_input_channels
from toile.errors import ToileError


@torch.no_grad()
def test_new_channels_change_nothing_until_they_are_trained():
    base = small_unet()
    wider = with_input_channels(base, LATENT + 3)
    latents, timesteps, text = unet_inputs()
    expected = base(latents, timesteps, text).sample
    seen = torch.cat([latents, torch.randn(2, 3, 8, 8)], dim=1)
    torch.testing.assert_close(wider(seen, timesteps, text).sample, expected)
    assert (wider.config.in_channels, wider.config.out_channels) == (LATENT + 3, LATENT)

    wider.conv_in.weight[:, LATENT:] = 0.1
    assert not torch.allclose(wider(seen, timesteps, text).sample, expected, atol=1e-3)


@torch.no_grad()
def test_a_copy_with_as_many_channels_is_equal_and_shares_no_weight():
    base = small_unet()
    copy = with_input_channels(base, LATENT)
    inputs = unet_inputs()
    before = base(*inputs).sample
    assert torch.equal(copy(*inputs).sample, before)
    for parameter in copy.parameters():
        parameter.zero_()
    assert torch.equal(base(*inputs).sample, before)


def test_channels_cannot_be_taken_away():
    with pytest.raises(ToileError, match=f"in_channels is 3, but the U-Net reads {LATENT} already"):
        with_input_channels(small_unet(), 3)
