import copy

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from tests.anydressing.small_anydressing import KINDS, relative, shake, small_garments_net
from tests.small_models import LATENT, TEXT, small_unet

from toile.anydressing.dressing_attention import DressingAttention
from toile.anydressing.garments_net import GarmentsNet, computing_order
from toile.diffusion.layers import attention_layers
from toile.diffusion.reference import encode_hidden_states, unused_parameters
from toile.diffusion.stable_diffusion import sd15_unet_config
from toile.errors import ToileError


def garments(count=4, size=(8, 6), seed=5):
    return torch.randn(count, LATENT, *size, generator=torch.Generator().manual_seed(seed))


def differ(found, expected):
    """The greatest relative difference in any layer."""
    assert list(found) == list(expected)
    return max(relative(found[path], expected[path]) for path in expected)


def equal(found, expected):
    assert list(found) == list(expected)
    return all(torch.equal(found[path], expected[path]) for path in expected)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def stock_inputs(unet, latents, timestep=0):
    """What enters each self-attention of a whole, unchanged U-Net, whose cross-attention says nothing."""
    unet, found = copy.deepcopy(unet), {}
    for layer in attention_layers(unet, "attn2").values():
        torch.nn.init.zeros_(layer.to_out[0].weight)
        torch.nn.init.zeros_(layer.to_out[0].bias)
    for path, layer in attention_layers(unet, "attn1").items():
        layer.register_forward_pre_hook(lambda _, given, path=path: found.update({path: given[0]}))
    unet(latents, timestep, torch.zeros(len(latents), 5, TEXT))
    return {path: found[path] for path in computing_order(unet)}


def shared_only(rank=3):
    """A GarmentsNet as it starts, and the U-Net that it came from."""
    unet = small_unet()
    return GarmentsNet.from_unet(unet, KINDS, rank).eval(), unet


@torch.no_grad()
def test_it_starts_as_the_unet_at_t_0_without_text_whatever_the_kind():
    net, unet = shared_only()
    latents = garments(3)
    found = net(latents, torch.tensor([0, 1, 2]))
    assert differ(found, stock_inputs(unet, latents)) <= 1e-5
    assert differ(found, stock_inputs(unet, latents, timestep=50)) > 1e-3
    unet.conv_in.weight += 1  # a copy, not a view
    assert equal(net(latents, torch.tensor([0, 1, 2])), found)


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
def test_each_garment_meets_the_merged_weights_of_its_own_kind(layers):
    net, latents = small_garments_net(layers=layers), garments()
    kinds = ["hat", "upper", "lower", "upper"]
    found = net(latents, net.indices(kinds))
    for item, kind in enumerate(kinds):
        merged, adapter = copy.deepcopy(net.unet), net.adapters[kind]
        for index, path in enumerate(net.paths[:-1]):
            layer = merged.get_submodule(path)
            for name, up, down in zip("qkv", adapter.up[index], adapter.down[index], strict=True):
                getattr(layer, f"to_{name}").weight += up @ down
        one = encode_hidden_states(merged, latents[item : item + 1], torch.zeros(1).long(), None)
        assert differ({path: tokens[item : item + 1] for path, tokens in found.items()}, one) <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_lora_as_peft_merges_it(kind):
    net, unet = small_garments_net(), small_unet()
    own = net.unet.state_dict()
    unet.load_state_dict(unet.state_dict() | own)
    adapted = get_peft_model(unet, LoraConfig(r=3, lora_alpha=3, target_modules=r".*attn1\.to_[qkv]"))
    for index, path in enumerate(net.paths[:-1]):
        for place, name in enumerate("qkv"):
            layer = adapted.base_model.model.get_submodule(f"{path}.to_{name}")
            layer.lora_A["default"].weight.copy_(net.adapters[kind].down[index][place])
            layer.lora_B["default"].weight.copy_(net.adapters[kind].up[index][place])
    latents = garments(2)
    found = net(latents, net.indices([kind, kind]))
    assert differ(found, stock_inputs(adapted.merge_and_unload(), latents)) <= 1e-5


@torch.no_grad()
def test_all_garments_in_one_pass_equal_each_alone():
    net, latents = small_garments_net(), garments(10)
    calls = []
    net.unet.conv_in.register_forward_hook(lambda *_: calls.append(1))
    kinds = torch.arange(10) % 3
    together = net(latents, kinds)
    assert len(calls) == 1
    for item in range(10):
        alone = net(latents[item : item + 1], kinds[item : item + 1])
        assert differ({path: tokens[item : item + 1] for path, tokens in together.items()}, alone) <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize(("rank", "most"), [(3, 0.0), (2, 0.0), (7, 1e-5)])
def test_a_new_kind_changes_nothing_of_what_the_others_compute(rank, most):
    net, latents = small_garments_net(), garments(3)
    kinds = torch.tensor([0, 1, 2])
    before = net(latents, kinds)
    net.add_kind("scarf", rank)
    assert net.kinds == (*KINDS, "scarf")
    after = net(latents, kinds)
    assert equal(after, before) if most == 0 else differ(after, before) <= most

    shared = net(latents, net.indices(["scarf"] * 3))
    untouched = encode_hidden_states(net.unet, latents, torch.zeros(3).long(), None)
    assert differ(shared, untouched) <= 1e-5  # it starts as the shared U-Net
    shake(net.adapters["scarf"])
    assert differ(net(latents, net.indices(["scarf"] * 3)), untouched) > 1e-2
    after = net(latents, kinds)
    assert equal(after, before) if most == 0 else differ(after, before) <= most


@torch.no_grad()
def test_a_batch_may_mix_kinds_of_different_ranks():
    net, latents = small_garments_net(), garments(4)
    net.add_kind("scarf", 5)
    shake(net.adapters["scarf"])
    kinds = net.indices(["scarf", "hat", "scarf", "upper"])
    together = net(latents, kinds)
    for item in range(4):
        alone = net(latents[item : item + 1], kinds[item : item + 1])
        assert differ({path: tokens[item : item + 1] for path, tokens in together.items()}, alone) <= 1e-5


def test_nothing_is_there_that_no_feature_depends_on():
    net, unet = shared_only()
    names = dict(net.unet.named_parameters())
    assert not [name for name in names if ".attn2." in name or ".transformer_blocks.0.norm2." in name]
    assert not [name for name in names if name.startswith(("conv_out", "conv_norm_out"))]
    last = net.paths[-1]
    assert last == "up_blocks.2.attentions.1.transformer_blocks.0.attn1"
    assert not [name for name in names if name.startswith(last)]  # its norm is the last thing that counts
    assert all(len(adapter.down) == len(net.paths) - 1 for adapter in net.adapters.values())
    gone = {id(parameter) for parameter in unused_parameters(unet)}
    for name, parameter in unet.named_parameters():
        if ".attn2." in name or ".transformer_blocks.0.norm2." in name:
            gone.add(id(parameter))
    kept = [parameter for parameter in unet.parameters() if id(parameter) not in gone]
    assert count(net.unet) == sum(parameter.numel() for parameter in kept) < count(unet)

    shake(net)
    states = net.train()(garments(3), torch.tensor([0, 1, 2]))
    torch.stack([tokens.square().mean() for tokens in states.values()]).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_garments_of_one_net_are_what_it_sees_in_one_wide_picture():
    net = small_garments_net(separate=False)
    assert net.kinds == () and net.config["ranks"] == []
    unet = small_unet()
    unet.load_state_dict(unet.state_dict() | net.unet.state_dict())
    latents = garments(6, size=(8, 4)).unflatten(0, (2, 3))  # two outfits of three
    found = net.encode_together(latents)

    wide = torch.cat(list(latents.unbind(1)), dim=-1)  # (2, C, 8, 12)
    for path, tokens in stock_inputs(unet, wide).items():
        side = round((8 * 12 / tokens.shape[1]) ** 0.5)
        picture = tokens.unflatten(1, (8 // side, 12 // side))
        for outfit in range(2):
            for place in range(3):
                columns = slice(place * 4 // side, (place + 1) * 4 // side)
                own = picture[outfit, :, columns].flatten(0, 1)
                torch.testing.assert_close(found[path][3 * outfit + place], own, rtol=1e-4, atol=1e-5)
    alone = net.encode_together(latents[:, :1])
    last = net.paths[-1]
    assert relative(found[last][::3], alone[last]) > 1e-3  # garments of an outfit do see each other


@torch.no_grad()
def test_saving_and_loading_change_nothing(tmp_path):
    net, latents = small_garments_net(), garments(3)
    for folder in ("before", "after"):
        net.save_pretrained(tmp_path / folder)
        again = GarmentsNet.from_pretrained(tmp_path / folder)
        assert again.kinds == net.kinds and again.config["ranks"] == net.config["ranks"]
        state = again.state_dict()
        assert all(torch.equal(state.pop(name), value) for name, value in net.state_dict().items())
        assert not state
        kinds = net.indices(net.kinds[-3:])
        assert equal(again(latents, kinds), net(latents, kinds))
        if "scarf" not in net.kinds:
            net.add_kind("scarf", 5)
            shake(net.adapters["scarf"])
    assert {path.name for path in (tmp_path / "after").iterdir()} == {
        "config.json",
        "diffusion_pytorch_model.safetensors",
    }


def test_a_new_kind_is_of_the_numbers_that_the_others_are():
    net = small_garments_net().to(torch.bfloat16)
    net.add_kind("scarf")
    assert {parameter.dtype for parameter in net.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("name", ["", "Hat", "a hat", "hat.left", "pop", "1st", "-hat", "h" * 33])
def test_names_that_cannot_be_used_are_refused(name):
    net = small_garments_net()
    with pytest.raises(ToileError, match="cannot be called") as error:
        net.add_kind(name)
    assert "\n" not in str(error.value) and net.kinds == KINDS


def test_a_name_that_is_there_is_refused():
    net = small_garments_net()
    with pytest.raises(ToileError, match="there is a kind 'hat' already; give the new one another name"):
        net.add_kind("hat")
    with pytest.raises(ToileError, match="already"):
        GarmentsNet.from_unet(small_unet(), ("upper", "upper"))


def test_an_unknown_kind_is_named():
    net = small_garments_net()
    assert net.indices(["hat", "upper", "hat"]).tolist() == [2, 0, 2]
    with pytest.raises(ToileError) as error:
        net.indices(["upper", "glove"])
    assert str(error.value) == "garment kind 'glove' is unknown; this model has upper, lower, hat"


def test_garments_that_a_level_would_cut_are_refused_side_by_side():
    net = small_garments_net(separate=False)
    with pytest.raises(ToileError, match="8×6 latents cannot lie side by side; use multiples of 4"):
        net.encode_together(garments(2)[None])


def test_sizes_at_the_shapes_of_stable_diffusion():
    with torch.device("meta"):
        unet = UNet2DConditionModel(**sd15_unet_config())
        net = GarmentsNet.from_unet(unet)
        assert count(unet) == 859_520_964
        assert count(net.unet) == 813_776_320
        assert count(net.adapters["upper"]) == 1_167_360
        assert count(net) == 813_776_320 + 2 * 1_167_360
        assert count(DressingAttention.from_unet(unet)) == 24_780_800
    assert len(net.paths) == 16
