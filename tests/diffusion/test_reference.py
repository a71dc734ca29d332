import pytest
import torch
from diffusers import UNet2DConditionModel
from tests.small_models import small_unet, unet_inputs
from torch.utils.flop_counter import FlopCounterMode

from toile.diffusion import tiny
from toile.diffusion.layers import attention_layers
from toile.diffusion.reference import encode_hidden_states, unused_parameters
from toile.diffusion.stable_diffusion import sd15_unet_config


def seen_by_self_attention(unet, inputs):
    """What a plain forward pass gives each self-attention, by hooks."""
    seen = {}
    for name, layer in attention_layers(unet, "attn1").items():
        layer.register_forward_pre_hook(lambda _, arguments, name=name: seen.setdefault(name, arguments[0]))
    with torch.no_grad():
        unet(*inputs)
    return seen


@pytest.mark.parametrize("size", [(8, 8), (10, 7)])
@pytest.mark.parametrize("layers", [1, 2])
def test_hidden_states_are_those_of_a_whole_pass(size, layers):
    unet = small_unet(layers=layers)
    inputs = unet_inputs(size=size)
    with torch.no_grad():
        found = encode_hidden_states(unet, *inputs)
    expected = seen_by_self_attention(unet, inputs)
    assert list(found) == list(expected)
    for name, states in expected.items():
        assert torch.equal(found[name], states), name


def test_hidden_states_of_tiny():
    torch.manual_seed(0)
    unet = tiny.unet(tiny.LATENT_CHANNELS + 1).eval()
    sample, text = torch.randn(1, tiny.LATENT_CHANNELS + 1, 16, 12), torch.randn(1, 7, tiny.EMBEDDING)
    inputs = sample, torch.zeros(1, dtype=torch.long), text
    with torch.no_grad():
        found = encode_hidden_states(unet, *inputs)
    expected = seen_by_self_attention(unet, inputs)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], states) for name, states in expected.items())


def test_nothing_after_the_last_needed_state_is_computed():
    unet = small_unet()
    ran = []
    tail = {id(parameter) for parameter in unused_parameters(unet)}
    for name, module in unet.named_modules():
        if any(id(parameter) in tail for parameter in module.parameters(recurse=False)):
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    encode_hidden_states(unet, *unet_inputs())
    assert ran == []
    unet(*unet_inputs())
    assert "conv_out" in ran


def test_the_tail_is_saved_in_flops_too():
    with torch.device("meta"):
        unet = UNet2DConditionModel(**sd15_unet_config())
        inputs = torch.zeros(1, 4, 64, 48), torch.zeros(1, dtype=torch.long), torch.zeros(1, 77, 768)
    counts = []
    for call in (lambda: unet(*inputs), lambda: encode_hidden_states(unet, *inputs)):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            call()
        counts.append(counter.get_total_flops())
    # The last transformer's attention, feed-forward and projection, and the last convolution, by hand.
    tokens, channels, text = 64 * 48, 320, 77
    projections = 2 * tokens * channels * channels * (4 + 2) + 2 * text * 768 * channels * 2
    attentions = 2 * 2 * tokens * channels * (tokens + text)
    feed_forward = 2 * tokens * channels * 4 * channels * 3
    convolutions = 2 * tokens * channels * channels + 2 * tokens * channels * 4 * 9
    assert counts[0] - counts[1] == projections + attentions + feed_forward + convolutions


def test_unused_parameters_are_exactly_those_without_a_gradient():
    unet = small_unet(layers=2)
    states = encode_hidden_states(unet, *unet_inputs())
    sum(state.square().mean() for state in states.values()).backward()
    without = {name for name, parameter in unet.named_parameters() if parameter.grad is None}
    unused = {id(parameter) for parameter in unused_parameters(unet)}
    assert without == {name for name, parameter in unet.named_parameters() if id(parameter) in unused}
    assert "conv_out.weight" in without


def test_gradients_survive_checkpointing():
    unet = small_unet().train()

    def gradients():
        unet.zero_grad()
        states = encode_hidden_states(unet, *unet_inputs())
        sum((state**3).mean() for state in states.values()).backward()
        return [parameter.grad for parameter in unet.parameters() if parameter.grad is not None]

    plain = gradients()
    unet.enable_gradient_checkpointing()
    recomputed = gradients()
    assert len(plain) == len(recomputed) > 0
    assert all(torch.equal(a, b) for a, b in zip(plain, recomputed, strict=True))
