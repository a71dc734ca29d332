import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from tests.small_models import LATENT, small_unet

from toile.twgtm.decoder import Decoder

CHANNELS = (16, 32, 32)


def small_decoder(channels=CHANNELS):
    torch.manual_seed(0)
    return Decoder(4, channels, dim=16, num_heads=2).eval()


def maps(height, width, batch=2):
    return torch.randn(batch, 4, height, width, generator=torch.Generator().manual_seed(1))


def unet_sizes(height, width):
    """Height, width and channels that the U-Net's own layers have, on the way down."""
    unet, sizes = small_unet(), []
    for block in unet.down_blocks:
        block.resnets[-1].register_forward_hook(lambda _, __, output: sizes.append(tuple(output.shape[1:])))
    unet(torch.zeros(1, LATENT, height, width), 1, torch.zeros(1, 1, 16))
    return [(rows * columns, channels) for channels, rows, columns in sizes]


@torch.no_grad()
@pytest.mark.parametrize("latent", [(8, 6), (7, 5), (9, 11)])
def test_tokens_have_the_sizes_of_the_unets_own_layers(latent):
    height, width = latent
    levels = small_decoder()(maps(2 * height, 2 * width))
    assert [tuple(level.shape[1:]) for level in levels] == unet_sizes(height, width)


@torch.no_grad()
def test_a_token_of_the_finest_level_sees_its_own_place():
    decoder, before = small_decoder(), maps(16, 12)
    after = before.clone()
    after[:, :, 7, 5] += 1  # row 3 or 4 and column 2 or 3 of the tokens, by a kernel of three pixels
    changed = (decoder(after)[0] - decoder(before)[0]).abs().amax(dim=(0, 2)).view(8, 6) > 1e-6
    assert changed.nonzero().tolist() == [[3, 2], [3, 3], [4, 2], [4, 3]]


@torch.no_grad()
def test_tokens_know_where_they_lie():
    levels = small_decoder()(torch.zeros(1, 4, 32, 24))
    inside = levels[0].view(16, 12, -1)[2:-2, 2:-2].flatten(0, 1)  # away from the padding
    distances = torch.cdist(inside, inside) + torch.eye(len(inside))
    assert distances.min() > 1e-3


def test_all_weights_get_a_gradient_and_blocks_are_diffusers():
    decoder = small_decoder()
    torch.cat([level.flatten() for level in decoder(maps(16, 12))]).square().sum().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    blocks = [isinstance(level.block, BasicTransformerBlock) for level in decoder.levels]
    assert blocks == [False, True, True]


@torch.no_grad()
def test_maps_are_decoded_alike_in_any_batch():
    decoder, several = small_decoder(), maps(16, 12, batch=3)
    together = decoder(several)
    for row in range(3):
        for alone, level in zip(decoder(several[row : row + 1]), together, strict=True):
            torch.testing.assert_close(alone[0], level[row])
