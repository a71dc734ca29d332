"""IGR's training objective.

Legend: `B` batch, `C` latent channels, `h w` latent pixels, `L D` text tokens and width, `E` image embedding.
"""

from collections.abc import Mapping

import torch
from diffusers import DDIMScheduler
from jaxtyping import Bool
from torch import Tensor, nn

from toile.diffusion.noise import noise_latents
from toile.diffusion.objective import denoising_loss, drop_conditions


def igr_loss(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    scheduler: DDIMScheduler,
    generator: torch.Generator,
    drop_probability: float,
    *,
    timestep_shift: float = 1.0,
    copy_probability: float = 0.0,
    correspondence_weight: float = 0.0,
) -> dict[str, Tensor]:
    """Compute the loss of one batch.

    Source: IGR, Eq. 1. Ours: the keywords, which leave it as it is unless they are given.

    Args:
        model: an `IGRModel`, wrapped or not.
        batch: `garment_latents`, `person_latents` (B C h w), `mask` (B 1 h w) in [0, 1],
            `image_embeds` (B E), `prompt_embeds` (B L D), `null_prompt_embeds` (1 L D) or (L D); where the
            correspondence counts also `points` (B h w 2), as in `Correspondence`.
        scheduler: its betas and its `prediction_type` count.
        generator: gives the timesteps, the noise, the drops and the copies.
        drop_probability: how often an item loses its conditions.
        timestep_shift: how much noisy timesteps are preferred (see `draw_timesteps`).
        copy_probability: how often an item is to be copied (see `copies`).
        correspondence_weight: weight of the correspondence's loss.

    Returns:
        `loss`, to be minimised, and, where the correspondence counts, its parts `noise_loss` and
        `correspondence_loss`, without its weight.
    """
    latents = batch["garment_latents"].float()  # (B C h w)
    noised = noise_latents(latents, scheduler, generator, timestep_shift)
    drop = drop_conditions(len(latents), drop_probability, generator).to(latents.device)  # (B)
    if copy_probability:
        draws = torch.rand(len(latents), generator=generator, device=generator.device)
        batch = copies(batch, (draws < copy_probability).to(latents.device))
    prediction = model(
        noised.latents,
        noised.timesteps,
        batch["prompt_embeds"],
        batch["null_prompt_embeds"].reshape(1, *batch["null_prompt_embeds"].shape[-2:]),
        batch["person_latents"],
        batch["mask"],
        batch["image_embeds"],
        drop,
        batch["points"] if correspondence_weight else None,
    )
    loss = denoising_loss(prediction.noise, noised.target)
    if not correspondence_weight:
        return {"loss": loss}
    correspondence = prediction.correspondence_loss
    return {
        "loss": loss + correspondence_weight * correspondence,
        "noise_loss": loss,
        "correspondence_loss": correspondence,
    }


def copies(batch: Mapping[str, Tensor], rows: Bool[Tensor, "B"]) -> dict[str, Tensor]:
    """Put the flat garment itself in the photo's place in some rows, so that restoring it is copying.

    Ours: what GarmNet sees can be used before it is known where on a person it would lie. The whole picture
    counts as the region, F_ll stays the crop's, and known points lie where they are.
    """
    here = rows[:, None, None, None]  # (B 1 1 1)
    changed = {
        "person_latents": torch.where(here, batch["garment_latents"], batch["person_latents"]),
        "mask": torch.where(here, torch.ones_like(batch["mask"]), batch["mask"]),
    }
    if "points" in batch:
        points = batch["points"]  # (B h w 2)
        y, x = ((torch.arange(side, device=points.device) + 0.5) / side for side in points.shape[1:3])
        place = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))], dim=-1)  # (h w 2)
        changed["points"] = torch.where(here & ~points.isnan(), place.to(points.dtype), points)
    return dict(batch) | changed
