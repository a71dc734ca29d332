"""A small AnyDressing pipeline with random weights, in parts of the real kinds."""

import torch
from diffusers import AutoencoderKL
from tests.anydressing.small_anydressing import small_anydressing
from tests.small_models import IMAGE, LATENT, TEXT
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from toile.anydressing.model import AnyDressingModel
from toile.anydressing.pipeline import AnyDressingPipeline
from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import StableDiffusionParts

SIZE = (64, 32)
"""Pixels of what is drawn; its latents are 8×4."""
WORDS = ("a woman in a park", "a man at the sea", "somebody who waves", "blurred")


def small_parts() -> StableDiffusionParts:
    """The frozen parts."""
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=tiny.VOCABULARY,
        hidden_size=TEXT,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=tiny.TEXT_LENGTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    vision = CLIPVisionConfig(
        hidden_size=8,
        intermediate_size=16,
        projection_dim=IMAGE,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=tiny.IMAGE_ENCODER_SIZE,
        patch_size=32,
    )
    return StableDiffusionParts(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 16, 16),
            latent_channels=LATENT,
            norm_num_groups=4,
            scaling_factor=0.7,
        ).eval(),
        text_encoder=CLIPTextModel(text).eval(),
        tokenizer=tiny.tokenizer(WORDS),
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        feature_extractor=tiny.feature_extractor(),
        scheduler=tiny.scheduler(),
    )


def small_pipeline(model: AnyDressingModel | None = None) -> AnyDressingPipeline:
    """A pipeline around a model; None is one that knows upper, lower and hat."""
    pipeline = AnyDressingPipeline.from_parts(small_parts(), model or small_anydressing(), SIZE)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
