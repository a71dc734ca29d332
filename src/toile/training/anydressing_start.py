"""What a training of AnyDressing starts from: published weights, `tiny`'s own, or those of a run before."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from jaxtyping import Float
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.anydressing.dressing_attention import DressingAttention
from toile.anydressing.garments_net import GarmentsNet
from toile.anydressing.model import AnyDressingModel
from toile.anydressing.pipeline import AnyDressingPipeline
from toile.anydressing.recipes import AnyDressingRecipe
from toile.anydressing.texture import Decode, Distance
from toile.bundled import BASE, TINY, weights_folder
from toile.diffusion.image_prompt import LowLevelExtractor
from toile.diffusion.stable_diffusion import load_image_encoder, load_part
from toile.errors import ToileError
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.metrics.dists import load_dists

PARTS = ("garments_net", "dressing_attention")
"""The folders of AnyDressing's own weights."""
EXTRACTOR = "low_level_extractor"
"""The folder of the image-prompt baseline's weights."""


@dataclass(frozen=True, kw_only=True)
class DressingParts:
    """The frozen parts around the model."""

    vae: AutoencoderKL
    """Turns pictures into latents and back."""
    text_encoder: CLIPTextModel
    """Turns tokens into embeddings for the U-Net's cross-attention."""
    tokenizer: CLIPTokenizer
    """Turns text into tokens."""
    scheduler: DDIMScheduler
    """DDIM on the betas that the U-Net was trained with."""
    image_encoder: CLIPVisionModelWithProjection | None = None
    """Embeds garments for the image-prompt baseline; None where the recipe names none."""
    feature_extractor: CLIPImageProcessorPil | None = None
    """Size, mean and standard deviation that the image encoder wants."""


def start_from(recipe: AnyDressingRecipe, initial: str | None) -> AnyDressingRecipe:
    """The recipe, starting from `initial`: AnyDressing weights to go on from, or a base to dress."""
    if initial is None:
        return recipe
    recipe = replace(recipe, base_model=initial)
    goes_on = any((Path(initial) / part).is_dir() for part in (*PARTS, EXTRACTOR))
    return replace(recipe, initial_weights=initial) if goes_on else recipe


def load_anydressing(recipe: AnyDressingRecipe) -> tuple[DressingParts, AnyDressingModel]:
    """The frozen parts and the model that a recipe starts from, its trained weights marked.

    Raises:
        ToileError: when something is missing, the weights to go on from are of another recipe's form, or the
            model cannot work at the recipe's size.
    """
    base = str(weights_folder() / BASE) if recipe.base_model == TINY else recipe.base_model
    unet = load_part(UNet2DConditionModel, base, "unet", use_safetensors=True)
    image_encoder, feature_extractor = _image_encoder(recipe, base)
    parts = DressingParts(
        vae=load_part(AutoencoderKL, base, "vae", use_safetensors=True),
        text_encoder=load_part(CLIPTextModel, base, "text_encoder", use_safetensors=True),
        tokenizer=load_part(CLIPTokenizer, base, "tokenizer"),
        scheduler=load_part(DDIMScheduler, base, "scheduler", clip_sample=False),
        image_encoder=image_encoder,
        feature_extractor=feature_extractor,
    )
    for part in (parts.vae, parts.text_encoder, image_encoder):
        if part is not None:
            part.requires_grad_(False)
    model = make_model(recipe, unet, parts)
    AnyDressingPipeline.from_parts(parts, model, recipe.size).check_size()  # before it is trained, not after
    return parts, model


def make_model(
    recipe: AnyDressingRecipe, unet: UNet2DConditionModel, parts: DressingParts
) -> AnyDressingModel:
    """Put a recipe's model around a U-Net, which it freezes.

    Raises:
        ToileError: when the weights to go on from are of another form than the recipe's.
    """
    if recipe.image_prompt:
        return AnyDressingModel(unet, None, None, _extractor(recipe, unet, parts))
    if recipe.initial_weights is not None:
        return _continued(recipe, recipe.initial_weights, unet)
    return AnyDressingModel.from_base(
        unet, recipe.kinds, recipe.rank, recipe.separate, recipe.train_garments_net
    )


def _continued(recipe: AnyDressingRecipe, folder: str, unet: UNet2DConditionModel) -> AnyDressingModel:
    net = load_part(GarmentsNet, folder, PARTS[0], use_safetensors=True, low_cpu_mem_usage=False)
    attention = load_part(DressingAttention, folder, PARTS[1], use_safetensors=True, low_cpu_mem_usage=False)
    if net.config["separate"] != recipe.separate:
        raise ToileError(
            f"{folder} was trained with separate {net.config['separate']}, the recipe has {recipe.separate}; "
            "train its own half-size run, or start from a base"
        )
    unknown = [kind for kind in recipe.kinds if kind not in net.kinds] if recipe.separate else []
    for kind in unknown:
        net.add_kind(kind, recipe.rank)
    if recipe.separate and net.kinds != recipe.kinds:
        raise ToileError(
            f"{folder} knows the kinds {', '.join(net.kinds)}, in this order; name them so in the recipe"
        )
    net.unet.requires_grad_(recipe.train_garments_net == "full")
    return AnyDressingModel(unet, net, attention)


def _extractor(
    recipe: AnyDressingRecipe, unet: UNet2DConditionModel, parts: DressingParts
) -> LowLevelExtractor:
    folder = recipe.initial_weights
    if folder is not None:
        loaded: LowLevelExtractor = load_part(
            LowLevelExtractor, folder, EXTRACTOR, use_safetensors=True, low_cpu_mem_usage=False
        )
        return loaded
    assert parts.image_encoder is not None, "a recipe with an image prompt names an image encoder"
    width = int(parts.image_encoder.config.projection_dim)
    made: LowLevelExtractor = LowLevelExtractor.from_unet(unet, width)
    return made


def _image_encoder(
    recipe: AnyDressingRecipe, base: str
) -> tuple[CLIPVisionModelWithProjection | None, CLIPImageProcessorPil | None]:
    if recipe.image_encoder is None:
        return None, None
    folder = str(weights_folder() / BASE) if recipe.image_encoder == TINY else recipe.image_encoder
    places = [base, folder] if recipe.image_encoder == TINY else [folder]
    own = next((Path(place) / "image_encoder" for place in places if _has_image_encoder(place)), folder)
    return load_image_encoder(own)


def _has_image_encoder(folder: str) -> bool:
    return (Path(folder) / "image_encoder").is_dir()


def load_distance(recipe: AnyDressingRecipe, device: str = "cpu") -> Distance | None:
    """What L_texture measures with: DISTS, or DISTS-dolls; None where it is left out.

    Raises:
        ToileError: when the network's weights are missing or damaged.
    """
    if not recipe.texture_weight:
        return None
    if recipe.dists_backbone is not None:
        return load_dists(Path(recipe.dists_backbone)).to(device)
    distance: Distance = load_doll_features().to(device).distance
    return distance


def load_decoder(vae: AutoencoderKL) -> Decode:
    """From latents (B, C, h, w) to pictures in [-1, 1], (B, 3, H, W), by a frozen VAE, with gradients."""
    vae.requires_grad_(False)

    def decode(latents: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 3 H W"]:
        """Decode."""
        scaled = (latents / vae.config.scaling_factor).contiguous(memory_format=torch.channels_last)
        pictures: Tensor = vae.decode(scaled).sample
        return pictures

    return decode
