"""AnyDressing's training objective: the noise, where garments are looked at, and their texture in pixels.

Legend: `B` batch, `K` kinds of garment, `C` latent channels, `h w` latent pixels, `L D` text tokens and their
width, `E` width of an image embedding, `H W` pixels.
"""

from collections.abc import Mapping

import torch
from diffusers import DDIMScheduler
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toile.anydressing.localization import Localization, localization_loss
from toile.anydressing.texture import Decode, Distance, predicted_original, texture_loss
from toile.diffusion.noise import noise_latents
from toile.diffusion.objective import denoising_loss, drop_conditions
from toile.errors import ToileError


def anydressing_loss(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    scheduler: DDIMScheduler,
    generator: torch.Generator,
    *,
    drop_probability: float,
    localization: Localization | None,
    localization_weight: float = 0.01,
    texture_weight: float = 0.001,
    texture_threshold: int = 350,
    decode: Decode | None = None,
    distance: Distance | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Compute the loss of one batch.

    Source: AnyDressing, Eq. 14 and 15: L = L_LDM + λ₁ / m · L_loc + λ₂ L_texture. Ours: text and garments are
    dropped together, and rows that lost them count in L_LDM alone.

    Args:
        model: an `AnyDressingModel`, wrapped or not.
        batch: `person_latents` (B C h w); `garment_latents` (B K C h w) and `present` (B K), which of them
            are there; `prompt_embeds` (B L D); `null_prompt_embeds` (1 L D) or (L D). Where L_loc or
            L_texture counts also `worn` (B K H W) uint8, 255 where the garment of kind k is worn, and for
            L_texture `picture` (B 3 H W) uint8, the photo; `image_embeds` (B K E) if the model reads them.
        scheduler: its betas and its `prediction_type` count.
        generator: gives the timesteps, the noise and the drops.
        drop_probability: how often an item loses its conditions.
        localization: what the softmax of L_loc runs over; None leaves L_loc out.
        localization_weight: λ₁; the mean over the m layers is in L_loc.
        texture_weight: λ₂; 0 leaves L_texture out.
        texture_threshold: η, the last timestep at which L_texture counts.
        decode: from latents to pictures in [-1, 1], for L_texture.
        distance: DISTS of pictures in [0, 1], for L_texture.

    Returns:
        `loss`, to be minimised, and its parts `noise_loss` and, where they count, `localization_loss` and
        `texture_loss`, without their weights.

    Raises:
        ToileError: when L_texture counts, but nothing decodes or compares.
    """
    latents = batch["person_latents"].float()  # (B C h w)
    noised = noise_latents(latents, scheduler, generator)
    drop = drop_conditions(len(latents), drop_probability, generator).to(latents.device)  # (B)
    prediction = model(
        noised.latents,
        noised.timesteps,
        batch["prompt_embeds"],
        batch["null_prompt_embeds"].reshape(1, *batch["null_prompt_embeds"].shape[-2:]),
        batch["garment_latents"],
        batch["present"],
        drop,
        localization,
        batch.get("image_embeds"),
    )
    losses = {"noise_loss": denoising_loss(prediction.noise, noised.target)}
    total = losses["noise_loss"]
    if localization is not None:
        size = (latents.shape[-2], latents.shape[-1])
        losses["localization_loss"] = localization_loss(prediction.maps, batch["worn"], size)
        total = total + localization_weight * losses["localization_loss"]
    if texture_weight:
        estimate = predicted_original(noised.latents, prediction.noise, noised.timesteps, scheduler)
        owned = batch["present"] & ~drop[:, None]  # (B K)
        drawing = decode, distance, texture_threshold
        losses["texture_loss"] = _texture_loss(batch, estimate, noised.timesteps, owned, *drawing)
        total = total + texture_weight * losses["texture_loss"]
    return {"loss": total, **losses}


def _texture_loss(
    batch: Mapping[str, Tensor],
    estimate: Float[Tensor, "B C h w"],
    timesteps: Int[Tensor, "B"],
    owned: Bool[Tensor, "B K"],
    decode: Decode | None,
    distance: Distance | None,
    threshold: int,
) -> Float[Tensor, ""]:
    if decode is None or distance is None:
        raise ToileError("L_texture needs a decoder and a distance; give both, or set texture_weight to 0")
    return texture_loss(
        estimate,
        timesteps,
        batch["picture"],
        batch["worn"],
        owned,
        decode=decode,
        distance=distance,
        threshold=threshold,
    )
