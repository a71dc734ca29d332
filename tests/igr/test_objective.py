import pytest
import torch
from tests.igr.small_igr import photos, small_igr

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.igr.model import IGRPrediction
from toile.igr.objective import copies, igr_loss


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


def with_points(batch):
    points = torch.rand(*batch["mask"].shape[:1], *batch["mask"].shape[-2:], 2)
    points[:, 0] = torch.nan
    return batch | {"points": points}


def test_copies_put_the_garment_in_the_photos_place_and_its_points_where_they_are():
    batch = with_points(photos(batch=2, size=(8, 6)))
    changed = copies(batch, torch.tensor([True, False]))
    assert torch.equal(changed["person_latents"][0], batch["garment_latents"][0])
    assert (changed["mask"][0] == 1).all()
    assert changed["points"][0, 0].isnan().all()
    torch.testing.assert_close(changed["points"][0, 2, 5], torch.tensor([5.5 / 6, 2.5 / 8]))
    for name in ("person_latents", "mask"):
        assert torch.equal(changed[name][1], batch[name][1])
    torch.testing.assert_close(changed["points"][1], batch["points"][1], equal_nan=True, rtol=0, atol=0)
    assert changed["garment_latents"] is batch["garment_latents"]


def test_what_is_copied_is_drawn():
    model, batch = small_igr(), photos(batch=3)
    plain, copied = (
        igr_loss(model, batch, tiny.scheduler(), torch.Generator().manual_seed(0), 0.0, copy_probability=p)
        for p in (0.0, 1.0)
    )
    model_sees = copies(batch, torch.tensor([True] * 3))
    expected = igr_loss(model, model_sees, tiny.scheduler(), torch.Generator().manual_seed(0), 0.0)
    assert torch.equal(copied["loss"], expected["loss"])
    assert not torch.equal(plain["loss"], copied["loss"])


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_correspondence_is_added_with_its_weight_and_teaches_queries_and_keys(checkpointing):
    model, batch = small_igr().train(), with_points(photos(batch=4))
    if checkpointing:
        model.enable_gradient_checkpointing()
    arguments = model, batch, tiny.scheduler()
    plain = igr_loss(*arguments, torch.Generator().manual_seed(0), 0.3)
    both = igr_loss(*arguments, torch.Generator().manual_seed(0), 0.3, correspondence_weight=0.5)
    torch.testing.assert_close(both["noise_loss"], plain["loss"])
    torch.testing.assert_close(both["loss"], plain["loss"] + 0.5 * both["correspondence_loss"])
    assert both["correspondence_loss"] > 0
    both["loss"].backward()
    before = float(both["correspondence_loss"].detach())
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for _ in range(10):
        optimizer.zero_grad()
        losses = igr_loss(*arguments, torch.Generator().manual_seed(0), 0.3, correspondence_weight=1.0)
        losses["correspondence_loss"].backward()
        optimizer.step()
    assert float(losses["correspondence_loss"].detach()) < 0.95 * before


def test_only_rows_that_own_a_garment_are_asked_for_its_points():
    model, batch = small_igr(), with_points(photos(batch=3))
    everything_dropped = igr_loss(
        model, batch, tiny.scheduler(), torch.Generator().manual_seed(0), 1.0, correspondence_weight=1.0
    )
    assert everything_dropped["correspondence_loss"] == 0
    bare = small_igr(garment_net=False)
    without_garment_net = igr_loss(
        bare, batch, tiny.scheduler(), torch.Generator().manual_seed(0), 0.0, correspondence_weight=1.0
    )
    assert without_garment_net["correspondence_loss"] == 0
