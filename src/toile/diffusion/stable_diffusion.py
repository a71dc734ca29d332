"""Stable Diffusion 1.5, the real thing: its shapes, and loading it from a folder or from the hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError
from transformers import (
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from toile.errors import ToileError

SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"
"""Hub name of Stable Diffusion 1.5."""
IP_ADAPTER = "h94/IP-Adapter"
"""Hub name of the repository that holds CLIP ViT-H/14's image encoder, in `models/image_encoder`."""


@dataclass(frozen=True, kw_only=True)
class StableDiffusionParts:
    """The parts of a Stable Diffusion that the systems build on, and a CLIP image encoder."""

    vae: AutoencoderKL
    """Turns pictures into latents and back."""
    text_encoder: CLIPTextModel
    """Turns tokens into embeddings for the U-Net's cross-attention."""
    tokenizer: CLIPTokenizer
    """Turns text into tokens."""
    image_encoder: CLIPVisionModelWithProjection
    """Turns a small picture into an embedding."""
    feature_extractor: CLIPImageProcessorPil
    """Size, mean and standard deviation that the image encoder wants."""
    scheduler: DDIMScheduler
    """DDIM on the betas that the U-Net was trained with."""
    unet: UNet2DConditionModel | None = None
    """Predicts noise in latents."""

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, image_encoder: str | Path | None = None, dtype: torch.dtype = torch.float32
    ) -> "StableDiffusionParts":
        """Load Stable Diffusion in diffusers layout; weights have to be safetensors.

        Args:
            name: a folder, or a hub name (`owner/name`).
            image_encoder: folder or hub name of a CLIP image encoder; None takes the one in `name`'s own
                `image_encoder` folder, or else IP-Adapter's from the hub.
            dtype: kind of number of the weights.

        Raises:
            ToileError: when there is no such folder, or a part of it is missing or broken.
        """
        parts = {
            "unet": load_part(UNet2DConditionModel, name, "unet", torch_dtype=dtype, use_safetensors=True),
            "vae": load_part(AutoencoderKL, name, "vae", torch_dtype=dtype, use_safetensors=True),
            "text_encoder": load_part(CLIPTextModel, name, "text_encoder", dtype=dtype, use_safetensors=True),
            "tokenizer": load_part(CLIPTokenizer, name, "tokenizer"),
            # Published folders name other samplers; without clip_sample, DDIM would cut latents off at ±1.
            "scheduler": load_part(DDIMScheduler, name, "scheduler", clip_sample=False),
        }
        own = Path(name) / "image_encoder"
        source = image_encoder or (own if own.is_dir() else IP_ADAPTER)
        encoder, feature_extractor = load_image_encoder(source, dtype=dtype)
        return cls(**parts, image_encoder=encoder, feature_extractor=feature_extractor)


def load_image_encoder(
    name: str | Path = IP_ADAPTER, subfolder: str = "", dtype: torch.dtype = torch.float32
) -> tuple[CLIPVisionModelWithProjection, CLIPImageProcessorPil]:
    """Load a CLIP image encoder (ViT-H/14 for `sd15`), and what prepares pictures for it.

    Args:
        name: the encoder's own folder, or a hub name (`owner/name`).
        subfolder: where it lies within a hub repository.
        dtype: kind of number of the weights.

    Raises:
        ToileError: when there is no such folder, or it is incomplete.
    """
    subfolder = subfolder or ("models/image_encoder" if str(name) == IP_ADAPTER else "")
    encoder = load_part(CLIPVisionModelWithProjection, name, subfolder, dtype=dtype, use_safetensors=True)
    side = int(encoder.config.image_size)
    size = {"height": side, "width": side}
    return encoder, CLIPImageProcessorPil(size=size, do_center_crop=False, do_resize=True)


def load_part(kind: Any, name: str | Path, subfolder: str = "", **options: Any) -> Any:
    """Load one part of a model with its own `from_pretrained`.

    Args:
        kind: the part's class.
        name: a folder, or a hub name (`owner/name`).
        subfolder: the part's folder within it.
        options: further arguments of `from_pretrained`.

    Raises:
        ToileError: when the folder or the part is missing, or cannot be read.
    """
    _check_folder(Path(name), subfolder)
    try:
        return kind.from_pretrained(str(name), subfolder=subfolder, **options)
    except (OSError, ValueError, RuntimeError, TypeError, SafetensorError, HFValidationError) as error:
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ToileError(f"cannot load {subfolder or 'the model'} from {name}: {first_line}") from error


def _check_folder(folder: Path, subfolder: str) -> None:
    name = str(folder)
    looks_local = folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1
    if not folder.is_dir():
        if looks_local:
            raise ToileError(f"there is no folder {folder}; give a folder in diffusers layout, or a hub name")
        return
    part = folder / subfolder
    if not part.is_dir():
        raise ToileError(
            f"{folder} has no part {subfolder!r}; it should be a whole folder in diffusers layout"
        )
    if (part / "config.json").is_file() and not any(part.glob("*.safetensors*")):
        raise ToileError(f"{part} has a configuration but no .safetensors weights; convert or download them")
    if not any(part.glob("*.json")):
        raise ToileError(f"{part} is empty; it should hold a part of a model in diffusers layout")


def sd15_unet_config() -> dict[str, Any]:
    """The U-Net of Stable Diffusion 1.5: 859,520,964 parameters.

    Source: Rombach et al. 2022; the published `unet/config.json`.
    """
    return {
        "sample_size": 64,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (320, 640, 1280, 1280),
        "layers_per_block": 2,
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
        "norm_num_groups": 32,
    }


def sd15_vae_config() -> dict[str, Any]:
    """The VAE of Stable Diffusion 1.5."""
    return {
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (128, 256, 512, 512),
        "layers_per_block": 2,
        "latent_channels": 4,
        "norm_num_groups": 32,
        "sample_size": 512,
        "scaling_factor": 0.18215,
    }


def sd15_text_config() -> CLIPTextConfig:
    """The text encoder of Stable Diffusion 1.5: CLIP ViT-L/14's."""
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        projection_dim=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=77,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=49407,
    )


def sd15_vision_config() -> CLIPVisionConfig:
    """The image encoder that IP-Adapter was trained with: CLIP ViT-H/14's."""
    return CLIPVisionConfig(
        hidden_size=1280,
        intermediate_size=5120,
        projection_dim=1024,
        num_hidden_layers=32,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        hidden_act="gelu",
    )


def sd15_scheduler() -> DDIMScheduler:
    """DDIM on Stable Diffusion 1.5's betas, predicting noise."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
