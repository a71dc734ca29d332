"""A small TWGTM with random weights, and references for it."""

import torch
from tests.small_models import LATENT, small_unet
from tests.twgtm.small_parts import references, small_semantic, small_spatial

from toile.twgtm.extended_attention import ExtendedAttention, Fusion
from toile.twgtm.model import TWGTMModel
from toile.twgtm.panels import from_text_to_image
from toile.twgtm.reference import Reference
from toile.twgtm.warp import WarpRegressor

SIZE = (64, 48)
"""Pixels of one panel; its latents are 8×6."""


def fresh_twgtm(seed: int = 0, fusion: Fusion = "extended", *, qformer: bool = True, warp: bool = False):
    """A TWGTM before its training: around a text-to-image U-Net, every ZLL at zero."""
    unet = from_text_to_image(small_unet(seed))
    extended = None
    if fusion == "extended":
        extended = ExtendedAttention.from_unet(unet)
    elif fusion == "decoupled":
        extended = ExtendedAttention.from_unet(unet, "attn2", zero_linear=False)
    return TWGTMModel(
        unet=unet,
        semantic=small_semantic(seed=seed) if qformer else small_semantic(None, seed=seed),
        spatial=small_spatial(seed),
        extended=extended,
        fusion=fusion,
        warp=WarpRegressor(channels=(8, 8), hidden_size=16) if warp else None,
    ).eval()


def small_twgtm(seed: int = 0, fusion: Fusion = "extended", **options: bool) -> TWGTMModel:
    """A TWGTM whose parts all differ, as after some training."""
    model = fresh_twgtm(seed, fusion, **options)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return model


def reference(batch: int = 2, seed: int = 1) -> Reference:
    """Reference pictures, CLIP's view of them and a text, at random."""
    given = references(batch, SIZE, seed)
    mask = torch.ones_like(given["tokens"])
    mask[:, -1] = 0  # the last word is padding
    return Reference(
        picture=given["reference"],
        clip_tokens=given["clip_tokens"],
        clip_embeds=given["clip_embeds"],
        text=given["tokens"],
        text_mask=mask,
    )


def panel_input(batch: int = 2, seed: int = 2) -> torch.Tensor:
    """I_t of two panels, at random, (B 2C+1 8 12)."""
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 2 * LATENT + 1, 8, 12, generator=draw)
