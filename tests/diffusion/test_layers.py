import copy

import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor2_0
from tests.small_models import small_unet, unet_inputs

from toile.diffusion.layers import (
    WardrobeAttention,
    attention_layers,
    plain_name,
    prepare_unet,
    project_hidden_states,
)
from toile.errors import ToileError
from toile.wardrobe import Wardrobe, WardrobeLayer


def joint_wardrobe(unet, items: int, tokens: int = 6, seed: int = 3) -> Wardrobe:
    generator = torch.Generator().manual_seed(seed)
    states = {
        name: torch.randn(items, tokens, layer.to_k.in_features, generator=generator)
        for name, layer in attention_layers(unet, "attn1").items()
    }
    return Wardrobe(layers=project_hidden_states(unet, states), rows=tuple(range(items)))


def run(unet, inputs, wardrobe):
    return unet(*inputs, cross_attention_kwargs={"wardrobe": wardrobe}).sample


def test_without_a_wardrobe_the_unet_is_the_plain_one_to_the_bit():
    plain = small_unet()
    plain.set_attn_processor(AttnProcessor2_0())
    prepared = prepare_unet(prepare_unet(copy.deepcopy(plain)))
    inputs = unet_inputs()
    with torch.no_grad():
        expected = plain(*inputs).sample
        assert torch.equal(run(prepared, inputs, None), expected)
        assert torch.equal(prepared(*inputs).sample, expected)
    assert len(prepared._forward_pre_hooks) == 1


@torch.no_grad()
def test_rows_that_own_nothing_skip_the_wardrobe():
    unet = prepare_unet(small_unet())
    inputs = unet_inputs(batch=3)
    plain = unet(*inputs).sample
    dressed = run(unet, inputs, joint_wardrobe(unet, 1).for_rows([-1, 0, -1]))
    torch.testing.assert_close(dressed[[0, 2]], plain[[0, 2]], rtol=1e-4, atol=1e-5)
    assert (dressed[1] - plain[1]).abs().max() > 1e-2


@torch.no_grad()
@pytest.mark.parametrize("rows", [(2, 0, 1), (1, 1, 1), (-1, 0, 2), (0, -1, 0)])
def test_each_row_attends_to_its_own_item_alone(rows):
    unet = prepare_unet(small_unet())
    latents, timesteps, text = unet_inputs(batch=3)
    wardrobe = joint_wardrobe(unet, 3)
    together = run(unet, (latents, timesteps, text), wardrobe.for_rows(rows))
    for row, item in enumerate(rows):
        inputs = latents[row : row + 1], timesteps[row : row + 1], text[row : row + 1]
        alone = run(unet, inputs, wardrobe.for_rows([item]))
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_added_attention_works_in_self_attention_with_a_scale():
    unet = prepare_unet(small_unet())
    inputs = unet_inputs()
    joint = joint_wardrobe(unet, 2)

    def added(scale):
        layers = {
            name: WardrobeLayer(key=layer.key, value=layer.value, mode="added", scale=torch.tensor(scale))
            for name, layer in joint.layers.items()
        }
        return run(unet, inputs, Wardrobe(layers=layers, rows=(0, 1)))

    torch.testing.assert_close(added(0.0), unet(*inputs).sample, rtol=1e-5, atol=1e-6)
    assert (added(0.7) - added(0.0)).abs().max() > 1e-3
    assert (added(1.0) - run(unet, inputs, joint)).abs().max() > 1e-3


def test_a_wardrobe_that_does_not_fit_is_refused():
    unet = prepare_unet(small_unet())
    wardrobe = joint_wardrobe(unet, 2)
    with pytest.raises(ToileError, match="2 rows, but the batch has 3"):
        run(unet, unet_inputs(batch=3), wardrobe)
    strange = Wardrobe(layers={"elsewhere.attn1": next(iter(wardrobe.layers.values()))}, rows=(0, 1))
    with pytest.raises(ToileError, match=r"no layer elsewhere\.attn1"):
        run(unet, unet_inputs(), strange)
    with pytest.raises(ToileError, match=r"no layer elsewhere\.attn1"):
        project_hidden_states(unet, {"elsewhere.attn1": torch.zeros(1, 2, 16)})


def test_gradients_into_keys_and_values_survive_checkpointing():
    unet = prepare_unet(small_unet()).train()
    inputs = unet_inputs()

    def gradients():
        unet.zero_grad()
        wardrobe = joint_wardrobe(unet, 2).for_rows([-1, 1])
        leaves = {
            name: layer.map(lambda t: t.detach().requires_grad_()) for name, layer in wardrobe.layers.items()
        }
        output = run(unet, inputs, Wardrobe(layers=leaves, rows=wardrobe.rows))
        output.square().mean().backward()
        return [tensor.grad for layer in leaves.values() for tensor in (layer.key, layer.value)] + [
            parameter.grad for parameter in unet.parameters()
        ]

    plain = gradients()
    unet.enable_gradient_checkpointing()
    for expected, found in zip(plain, gradients(), strict=True):
        assert torch.equal(expected, found)
    assert plain[0][1].abs().max() > 0
    assert plain[0][0].abs().max() == 0  # nobody owns item 0


@torch.no_grad()
def test_lower_precision_stays_close():
    unet = prepare_unet(small_unet())
    inputs = unet_inputs()
    exact = run(unet, inputs, joint_wardrobe(unet, 2))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = run(unet, inputs, joint_wardrobe(unet, 2))
    wardrobe = joint_wardrobe(unet, 2).to(dtype=torch.bfloat16)
    cast = run(
        unet.to(torch.bfloat16), [x.bfloat16() if x.is_floating_point() else x for x in inputs], wardrobe
    )
    for low in (mixed, cast):
        assert (low.float() - exact).abs().max() < 0.05 * exact.abs().max()


def test_processors_are_made_without_arguments_and_keep_nothing():
    unet = prepare_unet(small_unet())
    for processor in unet.attn_processors.values():
        assert isinstance(processor, WardrobeAttention)
        assert not vars(processor.__class__())
        assert not vars(processor)


def test_layers_are_named_as_without_compilation():
    assert (
        plain_name("_orig_mod.down_blocks.0._orig_mod.attentions.0.attn1")
        == "down_blocks.0.attentions.0.attn1"
    )
