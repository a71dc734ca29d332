import json
from itertools import product

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPVisionModelWithProjection

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import (
    StableDiffusionParts,
    load_image_encoder,
    sd15_scheduler,
    sd15_text_config,
    sd15_unet_config,
    sd15_vae_config,
    sd15_vision_config,
)
from toile.errors import ToileError


def published_unet_names() -> set[str]:
    """The names in the published `unet/diffusion_pytorch_model.safetensors`, from their grammar."""
    both = ("weight", "bias")
    resnet = [
        f"{part}.{kind}" for part in ("norm1", "conv1", "time_emb_proj", "norm2", "conv2") for kind in both
    ]
    attention = [f"{part}.weight" for part in ("to_q", "to_k", "to_v", "to_out.0")] + ["to_out.0.bias"]
    block = [f"norm{i}.{kind}" for i in (1, 2, 3) for kind in both]
    block += [f"attn{i}.{name}" for i in (1, 2) for name in attention]
    block += [f"ff.net.{part}.{kind}" for part in ("0.proj", "2") for kind in both]
    transformer = [f"{part}.{kind}" for part in ("norm", "proj_in", "proj_out") for kind in both]
    transformer += [f"transformer_blocks.0.{name}" for name in block]

    paths = [f"{part}.{kind}" for part in ("conv_in", "conv_norm_out", "conv_out") for kind in both]
    paths += [f"time_embedding.linear_{i}.{kind}" for i in (1, 2) for kind in both]
    places = [f"down_blocks.{i}.resnets.{j}" for i, j in product(range(4), range(2))]
    places += [f"up_blocks.{i}.resnets.{j}" for i, j in product(range(4), range(3))]
    places += [f"mid_block.resnets.{j}" for j in range(2)]
    paths += [f"{place}.{name}" for place in places for name in resnet]
    widened = ["down_blocks.1.resnets.0", "down_blocks.2.resnets.0"]
    widened += [f"up_blocks.{i}.resnets.{j}" for i, j in product(range(4), range(3))]
    paths += [f"{place}.conv_shortcut.{kind}" for place in widened for kind in both]
    places = [f"down_blocks.{i}.attentions.{j}" for i, j in product(range(3), range(2))]
    places += [f"up_blocks.{i}.attentions.{j}" for i, j in product((1, 2, 3), range(3))]
    paths += [f"{place}.{name}" for place in [*places, "mid_block.attentions.0"] for name in transformer]
    paths += [f"down_blocks.{i}.downsamplers.0.conv.{kind}" for i in range(3) for kind in both]
    paths += [f"up_blocks.{i}.upsamplers.0.conv.{kind}" for i in range(3) for kind in both]
    return set(paths)


def test_unet_is_the_published_one():
    with torch.device("meta"):
        unet = UNet2DConditionModel(**sd15_unet_config())
    state = unet.state_dict()
    assert sum(parameter.numel() for parameter in unet.parameters()) == 859_520_964
    assert len(state) == 686
    assert set(state) == published_unet_names()
    assert state["down_blocks.1.attentions.0.proj_in.weight"].shape == (640, 640, 1, 1)
    assert state["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape == (1280, 768)


def test_the_other_parts_have_the_published_sizes():
    with torch.device("meta"):
        parts = {
            AutoencoderKL(**sd15_vae_config()): 83_653_863,
            CLIPTextModel(sd15_text_config()): 123_060_480,
            CLIPVisionModelWithProjection(sd15_vision_config()): 632_076_800,
        }
    for part, parameters in parts.items():
        assert sum(parameter.numel() for parameter in part.parameters()) == parameters, type(part)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A whole folder in Stable Diffusion's layout, with random weights and another sampler."""
    folder = tmp_path_factory.mktemp("stable-diffusion")
    torch.manual_seed(0)
    tiny.unet().save_pretrained(folder / "unet")
    tiny.vae().save_pretrained(folder / "vae")
    tiny.text_encoder().save_pretrained(folder / "text_encoder")
    tiny.image_encoder().save_pretrained(folder / "image_encoder")
    tiny.tokenizer(["a red shirt", "a photo of a dress laid flat on white"]).save_pretrained(
        folder / "tokenizer"
    )
    sd15_scheduler().save_pretrained(folder / "scheduler")
    path = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(path.read_text())
    config |= {"_class_name": "PNDMScheduler", "skip_prk_steps": True, "clip_sample": True}
    path.write_text(json.dumps(config))
    return folder


def test_a_folder_is_loaded_whole(folder):
    parts = StableDiffusionParts.from_pretrained(folder)
    torch.manual_seed(0)
    for name, tensor in tiny.unet().state_dict().items():
        assert torch.equal(parts.unet.state_dict()[name], tensor)
    assert not parts.scheduler.config.clip_sample
    assert parts.scheduler.config.beta_end == 0.012
    assert parts.tokenizer("a red shirt").input_ids[0] == 0
    assert parts.feature_extractor.size["height"] == tiny.IMAGE_ENCODER_SIZE
    assert StableDiffusionParts.from_pretrained(folder, dtype=torch.bfloat16).unet.dtype == torch.bfloat16


def test_missing_and_broken_folders_are_refused(folder, tmp_path):
    with pytest.raises(ToileError, match="there is no folder"):
        StableDiffusionParts.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(ToileError, match="there is no folder"):
        load_image_encoder("./nowhere")
    (tmp_path / "part").mkdir()
    with pytest.raises(ToileError, match="is empty"):
        load_image_encoder(tmp_path / "part")
    with pytest.raises(ToileError, match="no part 'unet'"):
        StableDiffusionParts.from_pretrained(tmp_path, image_encoder=folder / "image_encoder")
    unet = tmp_path / "unet"
    unet.mkdir()
    (unet / "config.json").write_text((folder / "unet" / "config.json").read_text())
    with pytest.raises(ToileError, match=r"no \.safetensors"):
        StableDiffusionParts.from_pretrained(tmp_path, image_encoder=folder / "image_encoder")
    (unet / "diffusion_pytorch_model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ToileError, match="cannot load unet"):
        StableDiffusionParts.from_pretrained(tmp_path, image_encoder=folder / "image_encoder")
