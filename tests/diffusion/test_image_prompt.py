import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from tests.small_models import IMAGE, small_unet

from toile.diffusion.image_prompt import LowLevelExtractor, garment_crop
from toile.diffusion.layers import attention_layers
from toile.diffusion.stable_diffusion import sd15_unet_config
from toile.errors import ToileError

# Widths of ip-adapter_sd15's layers "1", "3" ... "31": down blocks, up blocks, then the middle one.
PUBLISHED_WIDTHS = [320] * 2 + [640] * 2 + [1280] * 2 + [1280] * 3 + [640] * 3 + [320] * 3 + [1280]


def published_state():
    """The names and shapes of ip-adapter_sd15, on the meta device."""
    state = {
        "image_proj.proj.weight": torch.empty(3072, 1024, device="meta"),
        "image_proj.proj.bias": torch.empty(3072, device="meta"),
        "image_proj.norm.weight": torch.empty(768, device="meta"),
        "image_proj.norm.bias": torch.empty(768, device="meta"),
    }
    for index, width in enumerate(PUBLISHED_WIDTHS):
        for part in ("to_k_ip", "to_v_ip"):
            state[f"ip_adapter.{2 * index + 1}.{part}.weight"] = torch.empty(width, 768, device="meta")
    return state


def test_published_names_fit_the_extractor_of_sd15():
    with torch.device("meta"):
        unet = UNet2DConditionModel(**sd15_unet_config())
        extractor = LowLevelExtractor.from_unet(unet, 1024)
        loaded = LowLevelExtractor.from_published_state(published_state())
    shapes = {name: tensor.shape for name, tensor in published_state().items()}
    assert {name: tensor.shape for name, tensor in extractor.state_dict().items()} == shapes
    assert loaded.config.hidden_sizes == PUBLISHED_WIDTHS
    assert loaded.config.num_tokens == 4


def test_layers_are_counted_as_diffusers_counts_processors():
    unet = small_unet()
    names = list(unet.attn_processors)
    assert [f"{name}.processor" for name in attention_layers(unet, "attn2")] == names[1::2]


def test_flat_and_nested_files_load(tmp_path):
    before = LowLevelExtractor.from_unet(small_unet(), IMAGE)
    flat = before.state_dict()
    save_file(flat, tmp_path / "ip-adapter.safetensors")
    nested = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in flat.items():
        part, rest = name.split(".", 1)
        nested[part][rest] = tensor
    embeds = torch.randn(2, IMAGE)
    for after in (
        LowLevelExtractor.from_published(tmp_path / "ip-adapter.safetensors"),
        LowLevelExtractor.from_published_state(nested),
    ):
        assert torch.equal(after(embeds), before(embeds))
        assert after(embeds).shape == (2, 4, 16)


def test_extractor_is_saved_and_loaded_as_diffusers_does(tmp_path):
    before = LowLevelExtractor.from_unet(small_unet(), IMAGE)
    before.save_pretrained(tmp_path)
    after = LowLevelExtractor.from_pretrained(tmp_path)
    tokens = before(torch.randn(1, IMAGE))
    for expected, found in zip(before.keys_and_values(tokens), after.keys_and_values(tokens), strict=True):
        assert torch.equal(expected[0], found[0])
        assert torch.equal(expected[1], found[1])


def test_keys_and_values_start_as_those_for_text():
    unet = small_unet()
    extractor = LowLevelExtractor.from_unet(unet, IMAGE)
    tokens = torch.randn(1, 4, 16)
    layers = attention_layers(unet, "attn2").values()
    for layer, (key, value) in zip(layers, extractor.keys_and_values(tokens), strict=True):
        assert torch.equal(key, layer.to_k(tokens))
        assert torch.equal(value, layer.to_v(tokens))


def test_what_is_no_adapter_is_refused(tmp_path):
    (tmp_path / "ip-adapter.bin").write_bytes(b"pickle")
    with pytest.raises(ToileError, match="not a safetensors file"):
        LowLevelExtractor.from_published(tmp_path / "ip-adapter.bin")
    with pytest.raises(ToileError, match="cannot read"):
        LowLevelExtractor.from_published(tmp_path / "missing.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(ToileError, match="IP-Adapter"):
        LowLevelExtractor.from_published(tmp_path / "a.safetensors")


def test_crop_sees_the_masked_pixels_and_nothing_else():
    person = torch.rand(2, 3, 40, 30) * 2 - 1
    mask = torch.zeros(2, 1, 40, 30)
    mask[0, :, 10:20, 5:25] = 1
    mask[1, :, 3:9, 3:9] = 1
    crops = garment_crop(person, mask, 16)
    assert crops.shape == (2, 3, 16, 16)
    elsewhere = torch.where(mask > 0, person, torch.rand_like(person))
    assert torch.equal(garment_crop(elsewhere, mask, 16), crops)
    torch.testing.assert_close(garment_crop(person[1:], mask[1:], 16), crops[1:])
    changed = person.clone()
    changed[0, :, 12:16, 8:16] *= -1
    assert not torch.allclose(garment_crop(changed, mask, 16)[0], crops[0])


def test_crop_fills_the_square_and_leaves_grey_outside_the_mask():
    person = torch.ones(1, 3, 32, 32)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    mask[..., 8:12, 8:12] = 0  # a corner of the box
    crop = garment_crop(person, mask, 16, mean=(0, 0, 0), std=(1, 1, 1))  # [0, 1]
    assert crop[0, :, 8:, 8:].min() > 0.99
    assert (crop[0, :, :2, :2] - 0.5).abs().max() < 0.01


def test_an_empty_mask_is_refused():
    with pytest.raises(ToileError, match="empty"):
        garment_crop(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), 4)
