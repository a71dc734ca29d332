"""Noise: seeds that belong to items, and the noising of latents in training.

Legend: `B` batch, `C` latent channels, `h w` latent pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler
from diffusers.utils.torch_utils import randn_tensor
from jaxtyping import Float, Int
from torch import Tensor

from toile.errors import ToileError


def item_generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """Make one random generator for each item, on the CPU, so that no device changes a picture."""
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def item_noise(
    generators: Sequence[torch.Generator],
    shape: tuple[int, int, int],
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "B C h w"]:
    """Draw unit Gaussian noise, each item's from its own generator.

    Args:
        generators: one for each item.
        shape: channels, height and width of one item's latent.
        device: where the noise is wanted; it is drawn where the generators live.
        dtype: the kind of number wanted; it is drawn in float32, so that every kind gets the same noise.
    """
    noise: Tensor = randn_tensor((len(generators), *shape), generator=list(generators), dtype=torch.float32)
    return noise.to(device=device, dtype=dtype)


@dataclass(frozen=True, kw_only=True)
class Noised:
    """Latents on their way to noise, and what a denoiser should make of them."""

    latents: Float[Tensor, "B C h w"]
    """z_t: the latents with noise added."""
    timesteps: Int[Tensor, "B"]
    """t of each item, in [0, 1000)."""
    target: Float[Tensor, "B C h w"]
    """The noise ε, or the velocity, as the scheduler's `prediction_type` says."""


def noise_latents(
    latents: Float[Tensor, "B C h w"],
    scheduler: DDIMScheduler,
    generator: torch.Generator,
    timestep_shift: float = 1.0,
) -> Noised:
    """Send each latent to a random timestep of the forward process.

    Source: IGR, Section 3.1: z_t at t ~ U[1, T] with ε ~ N(0, I).

    Args:
        latents: clean latents, multiplied by the VAE's scaling factor.
        scheduler: its betas and its `prediction_type` count.
        generator: gives t and ε; it may live on another device than the latents.
        timestep_shift: how much noisy timesteps are preferred (see `draw_timesteps`); 1 is not at all.
    """
    noise = torch.randn(latents.shape, generator=generator, device=generator.device)
    steps = int(scheduler.config["num_train_timesteps"])
    timesteps = draw_timesteps(len(latents), steps, generator, timestep_shift)
    noise, timesteps = noise.to(latents), timesteps.to(latents.device)
    return Noised(
        latents=scheduler.add_noise(latents, noise, timesteps),
        timesteps=timesteps,
        target=denoising_target(latents, noise, timesteps, scheduler),
    )


def draw_timesteps(
    count: int, steps: int, generator: torch.Generator, shift: float = 1.0
) -> Int[Tensor, "count"]:
    """Draw timesteps in [0, `steps`), evenly or with a preference for noisy ones.

    Source: Esser et al. 2024, "Scaling rectified flow transformers for high-resolution image synthesis",
    Eq. 23: u becomes s·u / (1 + (s − 1)·u), here for u ~ U[0, 1). Half of the draws lie above s / (s + 1).

    Args:
        count: how many.
        steps: the number of timesteps of the forward process.
        generator: gives them, on its own device.
        shift: s; 1 draws evenly.
    """
    if shift == 1:
        return torch.randint(steps, (count,), generator=generator, device=generator.device)
    even = torch.rand(count, generator=generator, device=generator.device)  # u
    return (steps * shift * even / (1 + (shift - 1) * even)).long().clamp(max=steps - 1)


def denoising_target(
    latents: Float[Tensor, "B C h w"],
    noise: Float[Tensor, "B C h w"],
    timesteps: Int[Tensor, "B"],
    scheduler: DDIMScheduler,
) -> Float[Tensor, "B C h w"]:
    """Say what the denoiser should predict: the noise (Stable Diffusion 1.5), or the velocity (`tiny`).

    Raises:
        ToileError: when the scheduler asks for another kind of prediction.
    """
    kind = scheduler.config["prediction_type"]
    if kind == "epsilon":
        return noise
    if kind == "v_prediction":
        velocity: Tensor = scheduler.get_velocity(latents, noise, timesteps)
        return velocity
    raise ToileError(
        f"prediction_type {kind!r} cannot be trained; use a scheduler with epsilon or v_prediction"
    )
