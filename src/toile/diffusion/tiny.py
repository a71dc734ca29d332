"""Stable Diffusion's own classes with small numbers: `tiny`, which a laptop's CPU trains and runs.

Nothing here is another code path: `tiny` and `sd15` differ by configuration alone. Sizes: pictures of 256×192
pixels, latents of 32×24, text and image embeddings of width 128.
"""

from collections.abc import Iterable

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import (
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

SIZE = (256, 192)
LATENT_CHANNELS = 12
EMBEDDING = 128
TEXT_LENGTH = 48
VOCABULARY = 640
IMAGE_ENCODER_SIZE = 64


def vae() -> AutoencoderKL:
    """A VAE with random weights: 8 times smaller each way, as SD 1.5's, but with twelve latent channels.

    Ours: projected linearly on 4, 8 or 12 numbers, the 8×8 pixels of dolls keep 23, 26 or 28 dB, so that four
    channels are far from the 30 dB that letters need.
    """
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 96),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=1,  # groups of two channels would forget how bright a plain picture is
        sample_size=SIZE[0],
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def unet(in_channels: int = LATENT_CHANNELS) -> UNet2DConditionModel:
    """A U-Net with random weights: SD 1.5's blocks at three resolutions, 3.8 million parameters."""
    return UNet2DConditionModel(
        sample_size=(SIZE[0] // 8, SIZE[1] // 8),
        in_channels=in_channels,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(64, 96, 96),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=EMBEDDING,
        attention_head_dim=(2, 3, 3),  # heads of 32 channels: three times as quick on a CPU as heads of 16
        norm_num_groups=8,
    )


def text_config(vocabulary: int = VOCABULARY) -> CLIPTextConfig:
    """The text half of the small CLIP; tokens 0 and 1 open and close a text, as `tokenizer` numbers them."""
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=EMBEDDING,
        intermediate_size=4 * EMBEDDING,
        projection_dim=EMBEDDING,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=TEXT_LENGTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def vision_config() -> CLIPVisionConfig:
    """The image half of the small CLIP: 64 patches of 8×8 pixels."""
    return CLIPVisionConfig(
        hidden_size=EMBEDDING,
        intermediate_size=4 * EMBEDDING,
        projection_dim=EMBEDDING,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=IMAGE_ENCODER_SIZE,
        patch_size=8,
    )


def text_encoder(vocabulary: int = VOCABULARY) -> CLIPTextModel:
    """A CLIP text encoder with random weights."""
    return CLIPTextModel(text_config(vocabulary))


def image_encoder() -> CLIPVisionModelWithProjection:
    """A CLIP image encoder with random weights."""
    return CLIPVisionModelWithProjection(vision_config())


def feature_extractor() -> CLIPImageProcessorPil:
    """CLIP's picture preparation at the small encoder's size, without a centre crop."""
    size = {"height": IMAGE_ENCODER_SIZE, "width": IMAGE_ENCODER_SIZE}
    return CLIPImageProcessorPil(size=size, do_center_crop=False, do_resize=True)


def scheduler() -> DDIMScheduler:
    """DDIM on SD 1.5's betas, rescaled to end in pure noise, with v-prediction.

    Ours: so a picture may be pure white, since pure noise tells nothing of its mean (Lin et al. 2024, "Common
    diffusion noise schedules and sample steps are flawed"); guidance (Eq. 2) is the same in either form.
    """
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # diffusers asks for it; trailing steps do not look at it
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )


def tokenizer(captions: Iterable[str]) -> CLIPTokenizer:
    """Learn a CLIP tokenizer from captions: CLIP's own splitting, with at most `VOCABULARY` byte-pair tokens.

    Returns:
        The tokenizer; it pads and cuts to `TEXT_LENGTH` tokens.
    """
    return CLIPTokenizer(model_max_length=TEXT_LENGTH).train_new_from_iterator(captions, VOCABULARY)
