"""The frozen parts that TWGTM stands on."""

from dataclasses import dataclass

from diffusers import AutoencoderKL, DDIMScheduler
from transformers import BaseImageProcessor, CLIPVisionModelWithProjection, PreTrainedTokenizerBase


@dataclass(frozen=True, kw_only=True)
class TWGTMParts:
    """Everything that a TWGTM needs and does not train."""

    vae: AutoencoderKL
    """Turns pictures into latents and back."""
    image_encoder: CLIPVisionModelWithProjection
    """CLIP's, with its projection."""
    feature_extractor: BaseImageProcessor
    """Mean and deviation that the image encoder wants."""
    tokenizer: PreTrainedTokenizerBase
    """The Q-Former's."""
    scheduler: DDIMScheduler
    """DDIM on the betas that the U-Net was trained with."""
