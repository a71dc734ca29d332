import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from tests.anydressing.stock_pipelines import outfit, shake
from tests.small_models import small_unet, unet_inputs

from toile.anydressing.dressing_attention import (
    DressedAttention,
    DressingAttention,
    install_layers,
    is_installed,
    uninstall_layers,
)
from toile.anydressing.localization import AttentionMaps
from toile.diffusion.layers import attention_layers
from toile.errors import ToileError
from toile.wardrobe import Wardrobe


@pytest.fixture
def unet() -> UNet2DConditionModel:
    made = small_unet()
    install_layers(made)
    return made


@torch.no_grad()
def run(unet, wardrobe=None, maps=None, batch=2):
    arguments = {"wardrobe": wardrobe, "attention_maps": maps}
    return unet(*unet_inputs(batch), cross_attention_kwargs=arguments).sample


def test_weights_start_as_the_layers_own(unet):
    dressing = DressingAttention.from_unet(unet)
    own = attention_layers(unet, "attn1")
    features = {name: torch.randn(2, 5, layer.inner_dim) for name, layer in own.items()}
    layers = dressing(features)
    assert list(layers) == list(own)
    for name, layer in own.items():
        assert torch.equal(layers[name].key, layer.to_k(features[name]))
        assert torch.equal(layers[name].value, layer.to_v(features[name]))
        assert layers[name].mode == "added" and layers[name].scale is None
    shake(dressing)
    assert not torch.equal(dressing(features)[name].key, own[name].to_k(features[name]))


def test_features_of_another_unet_are_refused(unet):
    dressing = DressingAttention.from_unet(unet)
    features = {name: torch.randn(1, 5, 16) for name in dressing.config["names"][1:]}
    with pytest.raises(ToileError, match=r"another U-Net: down_blocks\.0"):
        dressing(features)


def test_save_and_load(unet, tmp_path):
    dressing = DressingAttention.from_unet(unet)
    shake(dressing)
    dressing.save_pretrained(tmp_path)
    loaded = DressingAttention.from_pretrained(tmp_path)
    assert loaded.config["names"] == dressing.config["names"]
    assert all(torch.equal(t, loaded.state_dict()[name]) for name, t in dressing.state_dict().items())


def test_a_layer_adds_attention_to_the_garments_as_equation_6_has_it(unet):
    wardrobe = outfit(2, scale=0.6).for_rows([-1, (0, 1)])
    for name, layer in attention_layers(unet, "attn1").items():
        hidden = torch.randn(2, 9, layer.inner_dim)
        with torch.no_grad():
            found, plain = layer(hidden, wardrobe=wardrobe), layer(hidden)
        own = wardrobe.layers[name]
        key, value = (tokens.flatten(0, 1) for tokens in (own.key, own.value))
        mixed = []
        for head in range(layer.heads):
            part = slice(head * layer.inner_dim // layer.heads, (head + 1) * layer.inner_dim // layer.heads)
            query = (hidden[1] @ layer.to_q.weight.T)[:, part]
            weights = (query @ key[:, part].T / query.shape[-1] ** 0.5).softmax(dim=-1)
            mixed.append(weights @ value[:, part])
        expected = plain[1] + 0.6 * torch.cat(mixed, dim=-1) @ layer.to_out[0].weight.T
        assert torch.equal(found[0], plain[0])
        assert torch.allclose(found[1], expected, atol=1e-5)


def test_installing_alone_changes_nothing(unet):
    assert is_installed(unet) and not is_installed(small_unet())
    plain = run(small_unet())
    assert torch.equal(run(unet), plain)
    nobody = outfit().for_rows([-1, -1])
    assert torch.equal(run(unet, nobody), plain)
    install_layers(unet)
    uninstall_layers(unet)
    assert not is_installed(unet)
    assert torch.equal(unet(*unet_inputs()).sample, plain)
    assert all(type(layer) is Attention for layer in attention_layers(unet, "attn1").values())


def test_rows_of_unequal_outfits_in_any_order(unet):
    outfits = [outfit(3), outfit(1, seed=8), outfit(2, seed=9)]
    rows = [(4, 5), -1, (0, 1, 2), (3,)]
    together = run(unet, Wardrobe.stack(outfits).for_rows(rows), batch=4)
    for row, worn in enumerate([outfits[2], None, outfits[0], outfits[1]]):
        owners = [-1] * 4
        if worn is not None:
            owners[row] = worn.rows[0]
        alone = run(unet, (worn or outfits[0]).for_rows(owners), batch=4)
        assert torch.allclose(together[row], alone[row], atol=1e-5)


def test_half_precision_layers_take_a_wardrobe_in_single_precision():
    unet = small_unet().to(torch.bfloat16)
    install_layers(unet)
    inputs = [tensor.to(torch.bfloat16) if tensor.is_floating_point() else tensor for tensor in unet_inputs()]
    worn = outfit(scale=0.5).for_rows([-1, (0, 1)])
    with torch.no_grad():
        found = unet(*inputs, cross_attention_kwargs={"wardrobe": worn}).sample
    assert found.dtype == torch.bfloat16 and not torch.equal(found, unet(*inputs).sample)


@pytest.mark.parametrize("mode", ["garments", "joint"])
def test_attention_maps_are_given_without_changing_the_picture(unet, mode):
    worn = Wardrobe.stack([outfit(2), outfit(1, seed=8)]).for_rows([(2,), (0, 1)])
    maps = AttentionMaps(mode=mode)
    assert torch.allclose(run(unet, worn, maps), run(unet, worn), atol=1e-5)
    assert set(maps.layers) == set(attention_layers(unet, "attn1"))
    for found in maps.layers.values():
        assert [(part.rows.start, each.shape[1]) for part, each in found] == [(0, 1), (1, 2)]
        for _, each in found:
            total = each.sum(dim=1)
            one = torch.allclose(total, torch.ones_like(total), atol=1e-5)
            assert one if mode == "garments" else bool((total < 1).all())


def test_cross_attention_layers_take_part_if_the_wardrobe_has_them(unet):
    layers = {
        name: outfit().layers[name.replace("attn2", "attn1")] for name in attention_layers(unet, "attn2")
    }
    worn = Wardrobe(layers=layers, rows=(-1, (0, 1)))
    found = run(unet, worn)
    assert torch.equal(found[0], run(unet)[0]) and not torch.equal(found[1], run(unet)[1])


def test_layers_of_other_classes_are_refused(unet):
    class Other(Attention):
        pass

    untouched = small_unet()
    untouched.mid_block.attentions[0].transformer_blocks[0].attn2.__class__ = Other
    with pytest.raises(ToileError, match="attn2 is a Other"):
        install_layers(untouched)
    assert not any(isinstance(module, DressedAttention) for module in untouched.modules())
