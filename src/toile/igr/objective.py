"""IGR's training objective.

Legend: `B` batch, `C` latent channels, `h w` latent pixels, `L D` text tokens and width, `E` image embedding.
"""

from collections.abc import Mapping

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from toile.diffusion.noise import noise_latents
from toile.diffusion.objective import denoising_loss, drop_conditions


def igr_loss(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    scheduler: DDIMScheduler,
    generator: torch.Generator,
    drop_probability: float,
) -> dict[str, Tensor]:
    """Compute the loss of one batch.

    Args:
        model: an `IGRModel`, wrapped or not.
        batch: `garment_latents`, `person_latents` (B C h w), `mask` (B 1 h w) in [0, 1],
            `image_embeds` (B E), `prompt_embeds` (B L D), `null_prompt_embeds` (1 L D) or (L D).
        scheduler: its betas and its `prediction_type` count.
        generator: gives the timesteps, the noise and the drops.
        drop_probability: how often an item loses its conditions.

    Returns:
        `loss`, to be minimised.
    """
    latents = batch["garment_latents"].float()  # (B C h w)
    noised = noise_latents(latents, scheduler, generator)
    drop = drop_conditions(len(latents), drop_probability, generator).to(latents.device)  # (B)
    prediction = model(
        noised.latents,
        noised.timesteps,
        batch["prompt_embeds"],
        batch["null_prompt_embeds"].reshape(1, *batch["null_prompt_embeds"].shape[-2:]),
        batch["person_latents"],
        batch["mask"],
        batch["image_embeds"],
        drop,
    )
    return {"loss": denoising_loss(prediction, noised.target)}
