from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from tests.small_models import LATENT
from torch.nn import functional
from transformers.models.mask2former import modeling_mask2former as mask2former

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError
from toile.twgtm.model import Prediction
from toile.twgtm.objective import ObjectiveSettings, dice_loss, mask_loss, twgtm_loss

STAGE_1 = ObjectiveSettings(spatial_attention=False)
STAGE_2 = ObjectiveSettings(spatial_attention=True, mask_weight=0.0)


def items(batch=4, seed=1):
    """Two panels' latents, a reference and a silhouette for each item; the even ones are taken off."""
    draw = torch.Generator().manual_seed(seed)
    return {
        "target_latents": torch.randn(batch, LATENT, 4, 6, generator=draw),
        "guidance_latents": torch.randn(batch, LATENT, 4, 6, generator=draw),
        "known": torch.rand(batch, 1, 4, 6, generator=draw).round(),
        "picture": torch.rand(batch, 3, 32, 24, generator=draw),
        "clip_tokens": torch.randn(batch, 5, 8, generator=draw),
        "clip_embeds": torch.randn(batch, 7, generator=draw),
        "text": torch.randint(9, (batch, 3), generator=draw),
        "text_mask": torch.ones(batch, 3, dtype=torch.long),
        "taking_off": torch.arange(batch) % 2 == 0,
        "silhouette": torch.rand(batch, 1, 32, 24, generator=draw).round(),
    }


class Weighted(torch.nn.Module):
    """Predicts noise and silhouettes with two weights, and remembers what it was shown."""

    def __init__(self, units=2):
        super().__init__()
        self.noise = torch.nn.Parameter(torch.tensor(0.5))
        self.masks = torch.nn.Parameter(torch.linspace(-1, 1, units * 8 * 6).reshape(units, 1, 1, 8, 6))

    def forward(self, panel_input, timesteps, reference, drop, spatial_attention, target, repaint, points):
        self.seen = SimpleNamespace(
            panel_input=panel_input, reference=reference, drop=drop, spatial_attention=spatial_attention
        )
        rows = torch.linspace(1, 2, len(drop))[:, None, None, None]
        logits = tuple(rows * unit for unit in self.masks)
        warped = None if target is None else target + self.noise * repaint  # wrong by one half in the hole
        return Prediction(
            noise=self.noise * panel_input[:, :LATENT],
            mask_logits=logits,
            correspondence_loss=None if points is None else points.nan_to_num().mean() * self.noise,
            warped=warped,
        )


def loss(model, batch, settings, seed=0):
    return twgtm_loss(model, batch, sd15_scheduler(), torch.Generator().manual_seed(seed), settings)


def test_dice_by_hand():
    probability = torch.tensor([[[[0.5, 1.0]]], [[[0.0, 0.0]]]])
    target = torch.tensor([[[[1.0, 0.0]]], [[[0.0, 0.0]]]])
    expected = (1 - (2 * 0.5 + 1) / (1.5 + 1 + 1) + 0) / 2  # an empty mask that stays empty costs nothing
    torch.testing.assert_close(dice_loss(probability, target), torch.tensor(expected))


def test_dice_equals_that_of_mask2former():
    logits, target = torch.randn(3, 1, 6, 5), torch.rand(3, 1, 6, 5).round()
    theirs = mask2former.dice_loss(logits.flatten(1), target.flatten(1), num_masks=3)
    torch.testing.assert_close(dice_loss(logits.sigmoid(), target), theirs)


def test_a_perfect_mask_has_no_loss_and_a_wrong_one_has():
    silhouette = torch.zeros(2, 1, 16, 12)
    silhouette[:, :, 4:12, 4:8] = 1
    logits = 40 * (2 * functional.interpolate(silhouette, (8, 6), mode="area") - 1)
    assert mask_loss((logits,), silhouette) < 1e-6
    assert mask_loss((-logits,), silhouette) > 30


def test_bce_equals_torch_and_units_are_averaged():
    units = torch.randn(3, 2, 1, 8, 6).unbind()
    silhouette = torch.rand(2, 1, 16, 12)
    truth = silhouette.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))  # the mean of 2×2 pixels
    bce = torch.stack([functional.binary_cross_entropy(unit.sigmoid(), truth) for unit in units]).mean()
    dice = torch.stack([dice_loss(unit.sigmoid(), truth) for unit in units]).mean()
    torch.testing.assert_close(mask_loss(units, silhouette, dice_weight=0.0), bce)
    torch.testing.assert_close(mask_loss(units, silhouette, bce_weight=0.0), dice)
    torch.testing.assert_close(mask_loss(units, silhouette, 2.0, 3.0), 2 * dice + 3 * bce)


def test_certain_logits_keep_finite_gradients_in_half_precision():
    logits = torch.tensor([90.0, -90.0]).bfloat16().reshape(1, 1, 1, 2).requires_grad_()
    found = mask_loss((logits,), torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2))
    found.backward()
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.tensor(90 + 1 - 1 / 3))
    assert logits.grad.isfinite().all()
    assert (logits.grad.abs() > 0.4).all()  # far from the truth, but not beyond help


def test_the_correspondence_is_added_with_its_weight_and_noisy_timesteps_can_be_preferred():
    batch = items() | {"points": torch.full((len(items()["known"]), 4, 6, 2), 0.5)}
    plain, added, shifted = (
        loss(Weighted(), batch, replace(STAGE_2, **change))
        for change in ({}, {"correspondence_weight": 2.0}, {"timestep_shift": 30.0})
    )
    torch.testing.assert_close(added["correspondence_loss"], torch.tensor(0.25))
    torch.testing.assert_close(added["loss"], plain["loss"] + 0.5)
    assert "correspondence_loss" not in plain
    assert shifted["loss"] != plain["loss"]


def test_a_model_without_silhouettes_cannot_learn_them():
    with pytest.raises(ToileError, match="set mask_weight to 0"):
        mask_loss((), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ToileError, match="set mask_weight to 0"):
        loss(Weighted(units=0), items(), STAGE_1)


@pytest.mark.parametrize("scheduler", [tiny.scheduler(), sd15_scheduler()], ids=["velocity", "noise"])
def test_a_perfect_model_has_no_noise_loss_in_either_panel(scheduler):
    batch, wrong = items(), torch.zeros(LATENT, 4, 6)

    class Perfect(torch.nn.Module):
        def forward(self, panel_input, timesteps, *_):
            signal = scheduler.alphas_cumprod[timesteps][:, None, None, None]
            noisy, clean = panel_input[:, :LATENT], batch["target_latents"]
            noise = (noisy - signal.sqrt() * clean) / (1 - signal).sqrt()
            velocity = signal.sqrt() * noise - (1 - signal).sqrt() * clean
            answer = noise if scheduler.config.prediction_type == "epsilon" else velocity
            return Prediction(noise=answer + wrong, mask_logits=())

    def noise_loss():
        generator = torch.Generator().manual_seed(0)
        return twgtm_loss(Perfect(), batch, scheduler, generator, STAGE_2)["noise_loss"]

    assert noise_loss() < 1e-6
    for panel in (slice(0, 3), slice(3, 6)):
        wrong.zero_()[..., panel] = 1
        torch.testing.assert_close(noise_loss(), torch.tensor(0.5), rtol=1e-3, atol=1e-3)


def test_the_model_is_shown_the_whole_batch():
    model, batch = Weighted(), items()
    for settings in (STAGE_1, STAGE_2):
        loss(model, batch, settings)
        shown = model.seen
        assert shown.panel_input.shape == (4, 2 * LATENT + 1, 4, 6)
        assert torch.equal(shown.panel_input[:, LATENT : 2 * LATENT], batch["guidance_latents"])
        assert torch.equal(shown.panel_input[:, -1:], batch["known"] - 1)
        for name in ("picture", "clip_tokens", "clip_embeds", "text", "text_mask"):
            assert torch.equal(getattr(shown.reference, name), batch[name])
        assert shown.spatial_attention == settings.spatial_attention


def test_conditions_are_dropped_as_often_as_the_settings_say():
    model, batch = Weighted(), items(batch=400)
    loss(model, batch, ObjectiveSettings(spatial_attention=True, drop_probability=0.25))
    assert 0.18 < model.seen.drop.float().mean() < 0.32


def test_stage_1_adds_both_losses_and_stage_2_leaves_the_silhouettes_out():
    batch = items()
    first = loss(Weighted(), batch, ObjectiveSettings(spatial_attention=False, mask_weight=0.5))
    torch.testing.assert_close(first["loss"], first["noise_loss"] + 0.5 * first["mask_loss"])
    assert first["mask_loss"] > 0.1

    model = Weighted()
    second = loss(model, batch, STAGE_2)
    assert set(second) == {"loss", "noise_loss"}
    assert torch.equal(second["loss"], first["noise_loss"])
    second["loss"].backward()
    assert model.noise.grad != 0
    assert model.masks.grad is None


def test_silhouettes_count_for_items_that_are_taken_off_alone():
    model, batch = Weighted(), items()
    settings = ObjectiveSettings(spatial_attention=False, dice_weight=2.0, bce_weight=3.0)
    found = loss(model, batch, settings)["mask_loss"]
    rows = torch.linspace(1, 2, 4)[:, None, None, None]
    units = [(rows * unit)[[0, 2]] for unit in model.masks]
    torch.testing.assert_close(found, mask_loss(units, batch["silhouette"][[0, 2]], 2.0, 3.0))

    tried_on = batch["silhouette"].clone()
    tried_on[1::2] = 1 - tried_on[1::2]
    assert torch.equal(loss(model, batch | {"silhouette": tried_on}, settings)["mask_loss"], found)


def test_without_an_item_to_take_off_the_silhouette_costs_nothing_but_takes_part():
    model, batch = Weighted(), items()
    losses = loss(model, batch | {"taking_off": torch.zeros(4, dtype=torch.bool)}, STAGE_1)
    assert losses["mask_loss"] == 0
    losses["loss"].backward()
    assert torch.equal(model.masks.grad, torch.zeros_like(model.masks))
    assert model.noise.grad != 0


def test_a_warped_reference_is_compared_with_its_target():
    model, plain = Weighted(), items()
    given = {"target": plain["picture"].flip(0), "repaint": plain["silhouette"]}
    losses = loss(model, plain | given, STAGE_2)
    torch.testing.assert_close(losses["warp_loss"], torch.tensor(0.5))
    torch.testing.assert_close(losses["loss"], losses["noise_loss"] + losses["warp_loss"])
    assert torch.equal(losses["noise_loss"], loss(model, plain, STAGE_2)["loss"])


def test_the_generator_alone_decides():
    batch = items()
    first, again, other = (loss(Weighted(), batch, STAGE_1, seed)["loss"] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("name", "value"), [("drop_probability", 1.0), ("mask_weight", -1.0), ("bce_weight", -0.5)]
)
def test_settings_that_make_no_sense_are_refused(name, value):
    with pytest.raises(ToileError, match=f"{name} is {value}"):
        ObjectiveSettings(spatial_attention=True, **{name: value})
