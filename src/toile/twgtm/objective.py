"""TWGTM's training objective: the noise of both panels and, in stage 1, the flat garment's silhouette.

Legend: `B` batch, `C` latent channels, `H W` pixels of one panel, `h ww` latent pixels of both panels, `y x`
pixels of a silhouette as TaskFormer draws it, `P c` tokens of the image encoder and their width, `E` width of
its embedding, `L` text tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from toile.diffusion.noise import noise_latents
from toile.diffusion.objective import denoising_loss, drop_conditions
from toile.errors import ToileError
from toile.twgtm.panels import unet_input
from toile.twgtm.reference import Reference
from toile.twgtm.warp import warp_loss


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """What is added up, and what the model sees of it.

    Raises:
        ToileError: when a number makes no sense.
    """

    spatial_attention: bool
    """Whether F_SRM enters the U-Net: not in stage 1 (Eq. 14), but in stage 2 (Eq. 16)."""
    drop_probability: float = 0.1
    """How often an item loses F_SAM and F_SRM together, so that guidance works."""
    mask_weight: float = 1.0
    """λ of Eq. 14; 0 leaves L_mask away, as in stage 2 (Eq. 16)."""
    dice_weight: float = 1.0
    """λ' of Eq. 15."""
    bce_weight: float = 1.0
    """λ'' of Eq. 15."""
    timestep_shift: float = 1.0
    """How much noisy timesteps are preferred (see `draw_timesteps`). Ours; 1 is not at all."""
    correspondence_weight: float = 0.0
    """Weight of showing self-attention where points lie in the reference (see `Correspondence`). Ours."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot train anything."""
        if not 0 <= self.drop_probability < 1:
            raise ToileError(f"drop_probability is {self.drop_probability}; it must lie in [0, 1)")
        for name in ("mask_weight", "dice_weight", "bce_weight", "correspondence_weight"):
            if getattr(self, name) < 0:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 0")
        if self.timestep_shift <= 0:
            raise ToileError(f"timestep_shift is {self.timestep_shift}; it must be positive")


def dice_loss(probability: Float[Tensor, "B 1 y x"], target: Float[Tensor, "B 1 y x"]) -> Float[Tensor, ""]:
    """Say how little two masks overlap: 0 is alike, 1 is apart.

    Source: TWGTM, Eq. 15, L_dice. Ours: as in Mask2Former, 1 − (2 Σ p·t + 1) / (Σ p + Σ t + 1) of each item,
    then the mean; in float32.
    """
    p, t = probability.float().flatten(1), target.float().flatten(1)  # (B y·x)
    overlap = (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)  # (B)
    return (1 - overlap).mean()


def mask_loss(
    mask_logits: Sequence[Float[Tensor, "B 1 y x"]],
    silhouette: Float[Tensor, "B 1 H W"],
    dice_weight: float = 1.0,
    bce_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Compare the silhouettes of all TaskFormer units with the true one.

    Source: TWGTM, Eq. 15: L_mask = λ' L_dice + λ'' L_bce, on TFQ_0 (Eq. 10). Ours: the mean over units, so
    that each learns where the garment lies; the truth is resized to the map by the mean of its pixels.

    Args:
        mask_logits: TFQ_0 of each unit, before the sigmoid.
        silhouette: of the flat garment, in [0, 1].
        dice_weight: λ'.
        bce_weight: λ''.

    Raises:
        ToileError: when there is no unit.
    """
    if not mask_logits:
        raise ToileError("the model predicts no silhouette to compare; set mask_weight to 0")
    losses = []
    for logits in mask_logits:
        logits = logits.float()  # (B 1 y x)
        truth = functional.interpolate(silhouette.float(), logits.shape[-2:], mode="area")  # (B 1 y x)
        bce = functional.binary_cross_entropy_with_logits(logits, truth)
        losses.append(dice_weight * dice_loss(logits.sigmoid(), truth) + bce_weight * bce)
    return torch.stack(losses).mean()


def twgtm_loss(
    model: nn.Module,
    batch: Mapping[str, Tensor],
    scheduler: DDIMScheduler,
    generator: torch.Generator,
    settings: ObjectiveSettings,
) -> dict[str, Tensor]:
    """Compute the loss of one batch, in which some items are tried on and others are taken off.

    Source: TWGTM, Eq. 14 (stage 1) and Eq. 16 (stage 2). Ours: the noise of both panels counts, as I_t noises
    both; L_mask is the mean over the items that are taken off, since only those have a silhouette to guess.

    Args:
        model: a `TWGTMModel`, wrapped or not.
        batch: `target_latents`, `guidance_latents` (B C h ww), the latents of h_i and of h_f; `known`, h_m
            (B 1 h ww); the fields of `Reference`: `picture` (B 3 H W) in [-1, 1], `clip_tokens` (B P c),
            `clip_embeds` (B E), `text` and `text_mask` (B L); where L_mask counts also `taking_off` (B) and
            `silhouette` (B 1 H W) in [0, 1]; where the reference is warped (Variant 2) also `target`
            (B 3 H W) in [-1, 1] and `repaint` (B 1 H W); where the correspondence counts also `points`
            (B h ww 2).
        scheduler: its betas and its `prediction_type` count.
        generator: gives the timesteps, the noise and the drops.
        settings: what counts, and how much.

    Returns:
        `loss`, to be minimised, and its parts `noise_loss` and, where they count, `mask_loss`,
        `correspondence_loss`, `warp_loss`.
    """
    latents = batch["target_latents"].float()  # (B C h ww)
    noised = noise_latents(latents, scheduler, generator, settings.timestep_shift)
    drop = drop_conditions(len(latents), settings.drop_probability, generator).to(latents.device)  # (B)
    guidance = batch["guidance_latents"].to(noised.latents)
    prediction = model(
        unet_input(noised.latents, guidance, batch["known"]),  # (B 2C+1 h ww)
        noised.timesteps,
        _reference(batch),
        drop,
        settings.spatial_attention,
        batch.get("target"),
        batch.get("repaint"),
        batch["points"] if settings.correspondence_weight else None,
    )
    losses = {"noise_loss": denoising_loss(prediction.noise, noised.target)}
    total = losses["noise_loss"]
    if settings.mask_weight:
        rows = batch["silhouette"], batch["taking_off"]
        losses["mask_loss"] = _taken_off_mask_loss(prediction.mask_logits, *rows, settings)
        total = total + settings.mask_weight * losses["mask_loss"]
    if prediction.correspondence_loss is not None:
        losses["correspondence_loss"] = prediction.correspondence_loss
        total = total + settings.correspondence_weight * losses["correspondence_loss"]
    if prediction.warped is not None:
        losses["warp_loss"] = warp_loss(prediction.warped, batch["target"], batch["repaint"])
        total = total + losses["warp_loss"]
    return {"loss": total, **losses}


def _reference(batch: Mapping[str, Tensor]) -> Reference:
    return Reference(
        picture=batch["picture"],
        clip_tokens=batch["clip_tokens"],
        clip_embeds=batch["clip_embeds"],
        text=batch["text"],
        text_mask=batch["text_mask"],
    )


def _taken_off_mask_loss(
    mask_logits: Sequence[Float[Tensor, "B 1 y x"]],
    silhouette: Float[Tensor, "B 1 H W"],
    taking_off: Bool[Tensor, "B"],
    settings: ObjectiveSettings,
) -> Float[Tensor, ""]:
    if mask_logits and not taking_off.any():  # zero, but every weight takes part in every step
        return 0 * torch.stack([logits.float().sum() for logits in mask_logits]).sum()
    rows = [logits[taking_off] for logits in mask_logits]
    return mask_loss(rows, silhouette[taking_off], settings.dice_weight, settings.bce_weight)
