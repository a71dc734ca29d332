"""What a training of TWGTM starts from: published weights, `tiny`'s own, or those of the stage before."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import AutoTokenizer, CLIPTokenizer, PreTrainedTokenizerBase
from transformers import CLIPVisionModelWithProjection as ImageEncoder

from toile.bundled import BASE, TINY, weights_folder
from toile.diffusion.stable_diffusion import load_image_encoder, load_part
from toile.diffusion.tiny import TEXT_LENGTH, VOCABULARY
from toile.errors import ToileError
from toile.twgtm.extended_attention import ExtendedAttention
from toile.twgtm.model import TWGTMModel
from toile.twgtm.panels import from_inpainting, from_text_to_image
from toile.twgtm.parts import TWGTMParts
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.recipes import TWGTMRecipe
from toile.twgtm.semantic import SemanticAbstraction
from toile.twgtm.spatial import SpatialRefinement
from toile.twgtm.warp import WarpRegressor

TINY_QFORMER: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 256,
    "max_position_embeddings": TEXT_LENGTH,
    "cross_attention_frequency": 1,
}
"""The Q-Former of `tiny`; `encoder_hidden_size` is the image encoder's width."""
TINY_SWIN: dict[str, Any] = {"embed_dim": 32, "depths": [1, 1, 2], "num_heads": [1, 2, 4], "window_size": 8}
"""The Swin of `tiny`."""
HEAD = 32
"""Channels of one head of TaskFormer."""


def start_from(recipe: TWGTMRecipe, initial: str | None) -> TWGTMRecipe:
    """The recipe, starting from `initial`: a TWGTM folder to go on from, or a base in diffusers layout."""
    if initial is None:
        return recipe
    if (Path(initial) / "semantic").is_dir():
        return replace(recipe, initial_weights=initial)
    tiny = recipe.image_encoder == TINY
    return replace(recipe, base_model=initial, image_encoder=initial if tiny else recipe.image_encoder)


def load_twgtm(recipe: TWGTMRecipe) -> tuple[TWGTMParts, TWGTMModel]:
    """The frozen parts and the model that a recipe starts from, its trained weights marked.

    Raises:
        ToileError: when something is missing, the weights to go on from are of another architecture, or the
            model cannot work at the recipe's size.
    """
    parts, model = _continued(recipe) if recipe.initial_weights is not None else _fresh(recipe)
    TWGTMPipeline.from_parts(parts, model, recipe.size).check_size()  # before it is trained, not after
    mark_trained(model, recipe)
    return parts, model


def mark_trained(model: TWGTMModel, recipe: TWGTMRecipe) -> None:
    """Freeze what a stage does not use.

    Source: TWGTM, "Training Strategy". Paper: extended attention is activated in stage 2. Ours: so the
    decoder in front of it waits as well, and in stage 2 without F_SRM (Variant 1) the whole spatial module.
    """
    if recipe.stage == 1:
        model.spatial.decoder.requires_grad_(False)
        if model.extended is not None:
            model.extended.requires_grad_(False)
    elif model.fusion == "none":
        model.spatial.requires_grad_(False)


def _continued(recipe: TWGTMRecipe) -> tuple[TWGTMParts, TWGTMModel]:
    pipeline = TWGTMPipeline.from_pretrained(str(recipe.initial_weights))
    model = pipeline.twgtm
    if model.fusion != recipe.fusion or (model.warp is None) != recipe.two_panels:
        raise ToileError(
            f"{recipe.initial_weights} was trained with fusion {model.fusion!r} and "
            f"{'two panels' if model.warp is None else 'one panel'}, the recipe is another variant; "
            "train its own first stage"
        )
    return TWGTMParts(**{field.name: getattr(pipeline, field.name) for field in fields(TWGTMParts)}), model


def _fresh(recipe: TWGTMRecipe) -> tuple[TWGTMParts, TWGTMModel]:
    base = _folder(recipe.base_model)
    unet = load_part(UNet2DConditionModel, base, "unet", use_safetensors=True)
    image_encoder, feature_extractor = _image_encoder(recipe)
    parts = TWGTMParts(
        vae=load_part(AutoencoderKL, base, "vae", use_safetensors=True),
        image_encoder=image_encoder,
        feature_extractor=feature_extractor,
        tokenizer=_tokenizer(recipe, base),
        scheduler=load_part(DDIMScheduler, base, "scheduler", clip_sample=False),
    )
    return parts, make_model(recipe, unet, image_encoder)


def make_model(recipe: TWGTMRecipe, unet: UNet2DConditionModel, image_encoder: ImageEncoder) -> TWGTMModel:
    """Build the model of a recipe around a text-to-image or an inpainting U-Net, which is copied."""
    reads_latents_alone = unet.config["in_channels"] == unet.config["out_channels"]
    unet = from_text_to_image(unet) if reads_latents_alone else from_inpainting(unet)
    extended = None
    if recipe.fusion == "extended":
        extended = ExtendedAttention.from_unet(unet)
    elif recipe.fusion == "decoupled":
        extended = ExtendedAttention.from_unet(unet, "attn2", zero_linear=False)
    return TWGTMModel(
        unet=unet,
        semantic=_semantic(recipe, unet, image_encoder),
        spatial=_spatial(recipe, unet),
        extended=extended,
        fusion=recipe.fusion,
        warp=None if recipe.two_panels else WarpRegressor(),
    )


def _semantic(recipe: TWGTMRecipe, unet: UNet2DConditionModel, encoder: ImageEncoder) -> SemanticAbstraction:
    widths = {
        "clip_dim": encoder.config.hidden_size,
        "embed_dim": encoder.config.projection_dim,
        "cross_attention_dim": int(unet.config["cross_attention_dim"]),
    }
    if recipe.qformer is None or recipe.qformer == TINY:
        numbers = None if recipe.qformer is None else TINY_QFORMER
        made: SemanticAbstraction = SemanticAbstraction(
            **widths, num_queries=recipe.num_queries, qformer=numbers
        )
        return made
    published: SemanticAbstraction = SemanticAbstraction.from_published(recipe.qformer, **widths)
    return published


def _spatial(recipe: TWGTMRecipe, unet: UNet2DConditionModel) -> SpatialRefinement:
    numbers: dict[str, Any] = {
        "query_dim": int(unet.config["cross_attention_dim"]),
        "level_channels": list(unet.config["block_out_channels"]),
        "dim": recipe.dim,
        "num_task_queries": recipe.num_task_queries,
        "num_units": recipe.num_units,
        "num_heads": max(1, recipe.dim // HEAD),
        "hard_masks": recipe.hard_masks,
    }
    if recipe.swin == TINY:
        made: SpatialRefinement = SpatialRefinement(swin=TINY_SWIN, **numbers)
        return made
    published: SpatialRefinement = SpatialRefinement.from_published(recipe.swin, **numbers)
    return published


def _image_encoder(recipe: TWGTMRecipe) -> tuple[ImageEncoder, Any]:
    folder = _folder(recipe.image_encoder)
    own = Path(folder) / "image_encoder"
    return load_image_encoder(own if own.is_dir() else folder)


def _tokenizer(recipe: TWGTMRecipe, base: str) -> PreTrainedTokenizerBase:
    """The Q-Former's own, as InstructBLIP keeps it; `tiny`'s Q-Former shares the base's."""
    own = recipe.qformer not in (None, TINY)
    tokenizer: PreTrainedTokenizerBase = (
        load_part(AutoTokenizer, str(recipe.qformer), "qformer_tokenizer")
        if own
        else load_part(CLIPTokenizer, base, "tokenizer")
    )
    return tokenizer


def _folder(name: str) -> str:
    return str(weights_folder() / BASE) if name == TINY else name
