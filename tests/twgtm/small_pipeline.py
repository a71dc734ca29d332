"""A small TWGTM pipeline with random weights: real parts, all of them changed as after some training."""

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from tests.small_models import IMAGE, LATENT
from tests.twgtm.small_model import small_twgtm
from tests.twgtm.small_parts import CLIP, QFORMER, small_semantic
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from toile.diffusion import tiny
from toile.twgtm.extended_attention import Fusion
from toile.twgtm.parts import TWGTMParts
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.semantic import CATEGORY_TEXTS

SIZE = (64, 32)
"""Pixels of one panel; its latents are 8×4."""


def small_pipeline(fusion: Fusion = "extended", *, warp: bool = False) -> TWGTMPipeline:
    """A pipeline whose Q-Former knows enough words for the categories' names."""
    model = small_twgtm(fusion=fusion, warp=warp)
    words = {"vocab_size": tiny.VOCABULARY, "max_position_embeddings": tiny.TEXT_LENGTH}
    model.semantic = small_semantic({**QFORMER, **words})
    pipeline = TWGTMPipeline.from_parts(small_parts(), model, SIZE)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def small_parts() -> TWGTMParts:
    """The frozen parts."""
    torch.manual_seed(0)
    return TWGTMParts(
        vae=AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 16, 16),
            latent_channels=LATENT,
            norm_num_groups=4,
            scaling_factor=0.7,
        ).eval(),
        image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=CLIP,
                intermediate_size=32,
                projection_dim=IMAGE,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=32,
                patch_size=8,
            )
        ).eval(),
        feature_extractor=tiny.feature_extractor(),
        tokenizer=tiny.tokenizer(CATEGORY_TEXTS.values()),
        scheduler=tiny.scheduler(),
    )


def small_pictures(seed: int, *shapes: tuple[int, int]) -> list[Image.Image]:
    """Pictures of noise, of (height, width) each."""
    random = np.random.default_rng(seed)
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def middle(photo: Image.Image) -> Image.Image:
    """A mask that is no mirror image of itself: the middle of a photo and what lies right of it."""
    mask = Image.new("L", photo.size)
    mask.paste(255, (photo.width // 4, photo.height // 4, photo.width, 3 * photo.height // 4))
    return mask
