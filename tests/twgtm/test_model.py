from dataclasses import replace

import pytest
import torch
from tests.small_models import LATENT, overfit, small_unet
from tests.twgtm.naive import NaiveTWGTM
from tests.twgtm.small_model import fresh_twgtm, panel_input, reference, small_twgtm

from toile.diffusion import tiny
from toile.diffusion.layers import attention_layers
from toile.errors import ToileError
from toile.twgtm.extended_attention import ExtendedAttention, level_of
from toile.twgtm.model import TWGTMModel
from toile.twgtm.objective import ObjectiveSettings, twgtm_loss
from toile.twgtm.panels import left_panel, unet_input
from toile.wardrobe import Wardrobe

FUSIONS = ("extended", "decoupled", "concatenated", "none")


def relative(found, expected):
    """The greatest difference in units of the greatest value."""
    return float((found - expected).abs().max() / expected.abs().max())


@torch.no_grad()
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_equals_the_paper_word_for_word(scale):
    model, seen = small_twgtm(), reference()
    naive = NaiveTWGTM(model.unet, model.semantic, model.spatial, model.extended)
    wardrobe = model.encode(seen)
    ours = theirs = panel_input()
    for step in (900, 500, 100):
        time = torch.tensor(step)
        made = model.guided(ours, time, wardrobe, scale)
        expected = naive.guided(theirs, time, seen, scale)
        assert relative(made, expected) <= 1e-4
        ours, theirs = (
            torch.cat([given[:, :LATENT] - 0.3 * noise, given[:, LATENT:]], dim=1)
            for given, noise in ((ours, made), (theirs, expected))
        )
    blind = model.denoise(ours, time, wardrobe.for_rows((-1, -1)))
    assert relative(blind, expected) > 1e-2  # the reference does matter


@torch.no_grad()
def test_with_zero_linear_layers_at_zero_extended_attention_changes_nothing():
    model, seen = fresh_twgtm(), reference()
    wardrobe = model.encode(seen)
    assert len(wardrobe.layers) == len(attention_layers(model.unet, "attn1"))
    without = replace(wardrobe, layers={})
    inputs = panel_input(), torch.tensor(400)
    torch.testing.assert_close(
        model.denoise(*inputs, wardrobe), model.denoise(*inputs, without), rtol=0, atol=1e-6
    )
    for layer in model.extended.layers:
        layer.zero.weight += 0.1
    assert relative(model.denoise(*inputs, model.encode(seen)), model.denoise(*inputs, without)) > 1e-3


@torch.no_grad()
def test_keys_and_values_are_projected_once_for_all_steps():
    model = small_twgtm()
    calls = []
    for layer in model.extended.layers:
        layer.to_k.register_forward_hook(lambda *_: calls.append("K"))
    model.spatial.register_forward_hook(lambda *_: calls.append("SRM"))
    model.semantic.register_forward_hook(lambda *_: calls.append("SAM"))
    wardrobe = model.encode(reference())
    once = list(calls)
    for step in (900, 500, 100):
        model.guided(panel_input(), torch.tensor(step), wardrobe, 2.5)
    assert calls == once
    assert once.count("SRM") == once.count("SAM") == 1 and once.count("K") == len(model.extended.layers)


@torch.no_grad()
def test_unconditional_rows_read_zeros_and_skip_the_wardrobe():
    model, inputs = small_twgtm(), panel_input()
    one, other = (model.encode(reference(seed=seed)) for seed in (1, 7))
    rows, time = (-1, 0), torch.tensor(300)
    first, second = (model.denoise(inputs, time, w.for_rows(rows)) for w in (one, other))
    assert torch.equal(first[0], second[0])
    assert (first[1] - second[1]).abs().max() > 1e-3
    assert torch.equal(one.for_rows(rows).row_tokens()[0], torch.zeros_like(one.tokens[0]))


@torch.no_grad()
def test_a_reference_gives_the_same_prediction_in_any_batch():
    model, seen, inputs = small_twgtm(), reference(3), panel_input(3)
    together = model.guided(inputs, torch.tensor(500), model.encode(seen), 2.5)
    for row in range(3):
        alone = model.encode(seen.select(torch.tensor([row])))
        found = model.guided(inputs[row : row + 1], torch.tensor(500), alone, 2.5)
        assert (found[0] - together[row]).abs().max() < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("fusion", FUSIONS)
def test_saved_features_give_the_same_wardrobe_and_other_weights_refuse_them(tmp_path, fusion):
    model, seen, inputs = small_twgtm(fusion=fusion), reference(), (panel_input(), torch.tensor(500))
    features = model.extract(seen, categories=("upper", "dress"))
    path = tmp_path / "garment.safetensors"
    features.save(path, model.weights_hash())
    again, expected = model.load_wardrobe(path), model.encode(seen)
    assert again.categories == ("upper", "dress") and again.items == 2
    assert torch.equal(model.denoise(*inputs, again), model.denoise(*inputs, expected))
    expected.save(tmp_path / "wardrobe.safetensors", model.weights_hash())
    loaded = Wardrobe.load(tmp_path / "wardrobe.safetensors", model.weights_hash())
    assert torch.equal(model.denoise(*inputs, loaded), model.denoise(*inputs, expected))
    model.semantic.global_projection.weight[0] += 1e-3
    with pytest.raises(ToileError, match="other weights"):
        model.load_wardrobe(path)


@torch.no_grad()
def test_each_fusion_shows_the_reference_to_the_unet_in_its_own_way():
    seen, inputs = reference(), (panel_input(), torch.tensor(500))
    made = {}
    for fusion in FUSIONS:
        wardrobe = small_twgtm(fusion=fusion).encode(seen)
        made[fusion] = (
            {name.rsplit(".", 1)[1] for name in wardrobe.layers},
            {layer.mode for layer in wardrobe.layers.values()},
        )
    assert made == {
        "extended": ({"attn1"}, {"added"}),
        "decoupled": ({"attn2"}, {"added"}),
        "concatenated": ({"attn1"}, {"joint"}),
        "none": (set(), set()),
    }
    for fusion in FUSIONS[:3]:  # the pictures differ only in what Swin sees of them
        model = small_twgtm(fusion=fusion)
        with_it, other = seen, replace(seen, picture=seen.picture.flip(0))
        one, two = (model.denoise(*inputs, model.encode(given)) for given in (with_it, other))
        assert relative(one, two) > 1e-4, fusion


def test_a_fusion_needs_its_weights():
    parts = fresh_twgtm()
    with pytest.raises(ToileError, match="fusion 'none' goes without `extended`"):
        TWGTMModel(parts.unet, parts.semantic, parts.spatial, parts.extended, "none")
    with pytest.raises(ToileError, match="fusion 'extended' goes with `extended`"):
        TWGTMModel(parts.unet, parts.semantic, parts.spatial, None)


def step(model, spatial_attention=True, drop=(False, True, False)):
    """One training step's prediction for three rows."""
    dropped = torch.tensor(drop)
    return model(panel_input(3), torch.tensor([10, 500, 900]), reference(3), dropped, spatial_attention)


@torch.no_grad()
@pytest.mark.parametrize("drop", [(False, True, False), (True, True, True), (False, False, False)])
def test_a_training_step_predicts_as_inference_does(drop):
    model = small_twgtm()
    found = step(model, drop=drop)
    wardrobe = model.encode(reference(3)).for_rows([-1 if lost else row for row, lost in enumerate(drop)])
    expected = model.denoise(panel_input(3), torch.tensor([10, 500, 900]), wardrobe)
    torch.testing.assert_close(found.noise, expected, rtol=1e-4, atol=1e-5)
    silhouettes = model.silhouette(reference(3))
    grown = torch.nn.functional.interpolate(found.mask_logits[-1], silhouettes.shape[-2:], mode="bilinear")
    torch.testing.assert_close(silhouettes, grown.sigmoid(), rtol=1e-4, atol=1e-5)


def test_stage_1_leaves_extended_attention_out_and_still_draws_silhouettes():
    model = small_twgtm()
    found = step(model, spatial_attention=False)
    (found.noise.square().mean() + sum(logits.square().mean() for logits in found.mask_logits)).backward()
    for name, parameter in model.named_parameters():
        touched = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
        if name.startswith(("extended.", "spatial.decoder.")):
            assert not touched, name
    for name in ("spatial.taskformer.queries", "semantic.query_tokens", "unet.conv_in.weight"):
        assert model.get_parameter(name).grad.abs().max() > 0, name


def test_gradients_reach_everything_that_stage_2_trains():
    model = small_twgtm()
    step(model).noise.square().mean().backward()
    silent = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.abs().max() > 0)
    ]
    assert silent == []


def test_levels_are_counted_from_the_highest_resolution():
    unet = small_unet()
    levels = {name: level_of(unet, name) for name in attention_layers(unet, "attn1")}
    sizes = {}
    for name, layer in attention_layers(unet, "attn1").items():
        layer.register_forward_hook(lambda _, given, __, name=name: sizes.update({name: given[0].shape[1]}))
    unet(torch.randn(1, LATENT, 16, 8), torch.tensor(1), torch.randn(1, 3, 16))
    assert {name: 16 * 8 // 4**level for name, level in levels.items()} == sizes
    assert set(levels.values()) == {0, 1, 2}


def test_extended_attention_survives_saving(tmp_path):
    made = small_twgtm().extended
    made.save_pretrained(tmp_path)
    loaded = ExtendedAttention.from_pretrained(tmp_path)
    assert loaded.config.names == made.config.names
    for name, tensor in made.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def sample(model, guidance, known, wardrobe, noise, steps=8):
    """DDIM from noise to the latents of both panels, without guidance."""
    scheduler, latents = tiny.scheduler(), noise
    scheduler.set_timesteps(steps)
    for timestep in scheduler.timesteps:
        predicted = model.guided(unet_input(latents, guidance, known), timestep, wardrobe, 1.0)
        latents = scheduler.step(predicted, timestep, latents).prev_sample
    return latents


def test_one_set_of_weights_dresses_and_undresses_two_pairs():
    """Both directions of two pairs, overfitted; other references give the other results."""
    torch.manual_seed(0)
    model, draw = fresh_twgtm().train(), torch.Generator().manual_seed(0)
    person, garment = (torch.randn(2, LATENT, 8, 6, generator=draw) for _ in range(2))
    left, right = torch.cat([person, garment]), torch.cat([garment, person])  # try on 0, 1; take off 0, 1
    seen = reference(4)
    repaint = torch.ones(4, 1, 8, 6)
    known = torch.cat([1 - repaint, repaint], dim=-1)
    batch = {
        "target_latents": torch.cat([left, right], dim=-1),
        "guidance_latents": torch.cat([0 * left, right], dim=-1),
        "known": known,
        **vars(seen),
    }
    batch = {name: torch.cat([tensor] * 2) for name, tensor in batch.items()}
    settings = ObjectiveSettings(spatial_attention=True, mask_weight=0.0)
    overfit(model, lambda: twgtm_loss(model, batch, tiny.scheduler(), draw, settings)["loss"])

    model.eval()
    noise = torch.randn(1, LATENT, 8, 12, generator=draw).expand(4, -1, -1, -1)  # equal noise
    with torch.no_grad():
        for order in ([0, 1, 2, 3], [1, 0, 3, 2]):
            guidance = torch.cat([0 * left, right[order]], dim=-1)
            wardrobe = model.encode(seen).select(order)
            made = left_panel(sample(model, guidance, known, wardrobe, noise))
            for row, wanted in enumerate(order):
                other = order[row ^ 1]
                to_own, to_other = ((made[row] - left[item]).square().mean() for item in (wanted, other))
                assert to_own < 0.25 * to_other, (order, row, to_own, to_other)
