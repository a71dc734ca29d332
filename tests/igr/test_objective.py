import pytest
import torch
from tests.igr.small_igr import photos, small_igr

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.igr.model import IGRPrediction
from toile.igr.objective import igr_loss


@pytest.mark.parametrize("scheduler", [tiny.scheduler(), sd15_scheduler()], ids=["velocity", "noise"])
def test_a_perfect_model_has_no_loss(scheduler):
    batch = photos(batch=3)

    class Perfect(torch.nn.Module):
        def forward(self, noisy, timesteps, *_):
            signal = scheduler.alphas_cumprod[timesteps][:, None, None, None]
            clean = batch["garment_latents"]
            noise = (noisy - signal.sqrt() * clean) / (1 - signal).sqrt()
            velocity = signal.sqrt() * noise - (1 - signal).sqrt() * clean
            predicted = noise if scheduler.config.prediction_type == "epsilon" else velocity
            return IGRPrediction(noise=predicted, correspondence_loss=None)

    loss = igr_loss(Perfect(), batch, scheduler, torch.Generator().manual_seed(0), 0.1)["loss"]
    assert loss < 1e-6


def test_the_generator_alone_decides():
    model, batch = small_igr(), photos()
    first, again, other = (
        igr_loss(model, batch, tiny.scheduler(), torch.Generator().manual_seed(seed), 0.5)["loss"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_empty_prompt_may_come_without_a_batch_axis():
    model, batch = small_igr(), photos()
    flat = batch | {"null_prompt_embeds": batch["null_prompt_embeds"][0]}
    results = [
        igr_loss(model, each, tiny.scheduler(), torch.Generator().manual_seed(1), 0.5)["loss"]
        for each in (batch, flat)
    ]
    assert torch.equal(*results)
