import pytest
import torch

from toile.diffusion import tiny
from toile.diffusion.noise import draw_timesteps, item_generators, item_noise, noise_latents
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError


def test_noise_belongs_to_the_item_whatever_the_batch():
    shape = (4, 6, 5)
    together = item_noise(item_generators([7, 8, 9]), shape)
    alone = [item_noise(item_generators([seed]), shape)[0] for seed in (9, 7, 8)]
    assert torch.equal(together, torch.stack([alone[1], alone[2], alone[0]]))
    assert not torch.equal(together[0], together[1])
    half = item_noise(item_generators([7]), shape, dtype=torch.float16)[0]
    assert torch.equal(half, alone[1].half())


@pytest.mark.parametrize("scheduler", [tiny.scheduler(), sd15_scheduler()], ids=["velocity", "noise"])
def test_target_and_noised_latents_give_the_clean_ones_back(scheduler):
    latents = torch.randn(64, 2, 3, 3, dtype=torch.float64)
    noised = noise_latents(latents, scheduler, torch.Generator().manual_seed(0))
    signal = scheduler.alphas_cumprod[noised.timesteps][:, None, None, None].double()
    if scheduler.config.prediction_type == "epsilon":
        clean = (noised.latents - (1 - signal).sqrt() * noised.target) / signal.sqrt()
    else:
        clean = signal.sqrt() * noised.latents - (1 - signal).sqrt() * noised.target
    torch.testing.assert_close(clean, latents, rtol=0, atol=1e-4)
    assert 0 <= noised.timesteps.min() < 100
    assert 900 < noised.timesteps.max() < 1000


@pytest.mark.parametrize("shift", [1.0, 3.0, 30.0])
def test_half_of_the_timesteps_lie_above_the_place_that_the_shift_says(shift):
    timesteps = draw_timesteps(20_000, 1000, torch.Generator().manual_seed(0), shift)
    assert 0 <= timesteps.min() < timesteps.max() == 999
    assert (timesteps >= 1000 * shift / (shift + 1)).float().mean() == pytest.approx(0.5, abs=0.02)


def test_latents_are_noised_at_shifted_timesteps():
    latents = torch.ones(32, 4, 3, 3)
    even, shifted = (
        noise_latents(latents, tiny.scheduler(), torch.Generator().manual_seed(0), shift)
        for shift in (1.0, 1000.0)
    )
    assert shifted.timesteps.min() > 900 > even.timesteps.min()
    torch.testing.assert_close(shifted.target, -latents, rtol=0, atol=0.3)  # of pure noise, v = −z_0


def test_the_same_generator_gives_the_same_noise():
    latents = torch.zeros(2, 4, 3, 3)
    first, second = (
        noise_latents(latents, sd15_scheduler(), torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert torch.equal(first.latents, second.latents)
    assert torch.equal(first.timesteps, second.timesteps)


def test_an_untrainable_scheduler_is_refused():
    scheduler = sd15_scheduler()
    scheduler.register_to_config(prediction_type="sample")
    with pytest.raises(ToileError, match="'sample'"):
        noise_latents(torch.zeros(1, 4, 3, 3), scheduler, torch.Generator())
