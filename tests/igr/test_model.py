import copy

import pytest
import torch
from tests.igr.naive import NaiveIGR
from tests.igr.small_igr import encode, photos, small_igr
from tests.small_models import IMAGE, overfit, small_unet, unet_inputs

from toile.diffusion import tiny
from toile.diffusion.noise import item_generators, item_noise
from toile.diffusion.reference import unused_parameters
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError
from toile.igr.model import CATEGORY_PROMPTS, IGRModel, latent_mask, with_mask_channel
from toile.igr.objective import igr_loss
from toile.wardrobe import Wardrobe


def sample(step, latents, scheduler, steps):
    """DDIM with any function that predicts."""
    scheduler.set_timesteps(steps)
    for timestep in scheduler.timesteps:
        latents = scheduler.step(step(latents, timestep), timestep, latents).prev_sample
    return latents


def relative(found, expected):
    """The greatest difference in units of the greatest value."""
    return float((found - expected).abs().max() / expected.abs().max())


@torch.no_grad()
@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_equals_the_paper_word_for_word(scale):
    model, batch = small_igr(), photos(size=(12, 8))
    naive = NaiveIGR(model.garment_net, copy.deepcopy(model.unet), model.extractor)
    noise = torch.randn(batch["garment_latents"].shape, generator=torch.Generator().manual_seed(4))
    text, null = batch["prompt_embeds"], batch["null_prompt_embeds"]
    photo = batch["person_latents"], batch["mask"], batch["image_embeds"]
    wardrobe = encode(model, batch)

    ours = sample(lambda z, t: model.guided(z, t, text, null, wardrobe, scale), noise, sd15_scheduler(), 5)
    theirs = sample(lambda z, t: naive.guided(z, t, text, null, *photo, scale), noise, sd15_scheduler(), 5)
    assert relative(ours, theirs) <= 1e-4

    plain = sample(lambda z, t: model.denoise(z, t, text, None), noise, sd15_scheduler(), 5)
    assert relative(plain, theirs) > 1e-2  # the garments do matter


@torch.no_grad()
def test_without_guidance_the_unconditional_half_is_not_computed():
    model, batch = small_igr(), photos()
    wardrobe = encode(model, batch)
    sizes = []
    model.unet.conv_in.register_forward_hook(lambda _, arguments, __: sizes.append(len(arguments[0])))
    arguments = (
        batch["garment_latents"],
        torch.tensor(500),
        batch["prompt_embeds"],
        batch["null_prompt_embeds"],
    )
    at_one = model.guided(*arguments, wardrobe, 1.0)
    barely_more = model.guided(*arguments, wardrobe, 1.0001)
    assert sizes == [2, 4]
    torch.testing.assert_close(at_one, barely_more, rtol=1e-2, atol=1e-3)


@torch.no_grad()
def test_without_a_wardrobe_the_denoiser_is_the_unet_it_came_from():
    base = small_unet()
    model = IGRModel.from_base(base, IMAGE)
    inputs = unet_inputs()
    assert torch.equal(model.denoise(*inputs, None), base(*inputs).sample)


@torch.no_grad()
def test_garment_net_starts_as_the_base_model_that_ignores_the_mask():
    base = small_unet()
    garment_net = with_mask_channel(base)
    latents, timesteps, text = unet_inputs()
    expected = base(latents, timesteps, text).sample
    for mask in (torch.zeros(2, 1, 8, 8), torch.ones(2, 1, 8, 8)):
        found = garment_net(torch.cat([latents, mask], dim=1), timesteps, text).sample
        torch.testing.assert_close(found, expected)
    assert garment_net.config.in_channels == 5
    base.conv_in.weight += 1  # a copy, not a view
    assert garment_net.conv_in.weight[:, :4].sum() != base.conv_in.weight.sum()


@torch.no_grad()
def test_a_photo_gives_the_same_garment_in_any_batch():
    model, batch = small_igr(), photos(batch=3)
    text, null = batch["prompt_embeds"], batch["null_prompt_embeds"]

    def restore(rows):
        index = slice(rows[0], rows[-1] + 1)
        noise = item_noise(item_generators(rows), tuple(batch["garment_latents"].shape[1:]))
        wardrobe = encode(model, batch, index)
        step = lambda z, t: model.guided(z, t, text[index], null, wardrobe, 1.5)  # noqa: E731
        return sample(step, noise, tiny.scheduler(), 4)

    together = restore([0, 1, 2])
    for row in range(3):
        assert (restore([row])[0] - together[row]).abs().max() < 1e-4


@torch.no_grad()
def test_saved_features_give_the_same_wardrobe_and_other_weights_refuse_them(tmp_path):
    model, batch = small_igr(), photos()
    names = ("person_latents", "mask", "prompt_embeds", "image_embeds")
    features = model.extract(*(batch[name] for name in names), categories=("upper", "dress"))
    path = tmp_path / "garment.safetensors"
    features.save(path, model.weights_hash())

    again = model.load_wardrobe(path)
    expected = encode(model, batch)
    assert again.categories == ("upper", "dress")
    for name, layer in expected.layers.items():
        assert torch.equal(again.layers[name].key, layer.key)
        assert torch.equal(again.layers[name].value, layer.value)

    expected.save(tmp_path / "wardrobe.safetensors", model.weights_hash())
    assert path.stat().st_size < 0.7 * (tmp_path / "wardrobe.safetensors").stat().st_size
    loaded = Wardrobe.load(tmp_path / "wardrobe.safetensors", model.weights_hash())
    inputs = batch["garment_latents"], torch.tensor(500), batch["prompt_embeds"]
    assert torch.equal(model.denoise(*inputs, loaded), model.denoise(*inputs, expected))

    for part in (model.garment_net.conv_in, model.unet.conv_out, model.extractor.image_proj.proj):
        part.weight[0] += 1e-3
        with pytest.raises(ToileError, match="other weights"):
            model.load_wardrobe(path)
        part.weight[0] -= 1e-3
        features.save(path, model.weights_hash())


def losses(model, batch, drop=0.3, seed=0):
    return igr_loss(model, batch, tiny.scheduler(), torch.Generator().manual_seed(seed), drop)["loss"]


def test_gradients_reach_exactly_what_should_train():
    model = small_igr().train()
    losses(model, photos(batch=4)).backward()
    tail = {id(parameter) for parameter in unused_parameters(model.garment_net)}
    for name, parameter in model.named_parameters():
        if id(parameter) in tail:
            assert name.startswith("garment_net.up_blocks.2") or name.startswith("garment_net.conv_")
            assert not parameter.requires_grad and parameter.grad is None, name
        else:
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
    assert len(tail) > 0


def test_checkpointing_changes_no_gradient():
    model, batch = small_igr().train(), photos(batch=3)

    def gradients():
        model.zero_grad()
        losses(model, batch).backward()
        return {
            name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad
        }

    plain = gradients()
    model.enable_gradient_checkpointing()
    recomputed = gradients()
    assert model.garment_net.is_gradient_checkpointing
    assert all(torch.equal(plain[name], recomputed[name]) for name in plain)


@torch.no_grad()
def test_dropped_rows_read_the_empty_prompt_and_own_nothing():
    model, batch = small_igr(), photos(batch=3)
    noisy, timesteps = batch["garment_latents"], torch.tensor([10, 500, 900])
    arguments = [batch[name] for name in ("prompt_embeds", "null_prompt_embeds", "person_latents", "mask")]
    drop = torch.tensor([False, True, False])
    predicted = model(noisy, timesteps, *arguments, batch["image_embeds"], drop).noise
    for row in range(3):
        one = slice(row, row + 1)
        dropped = row == 1
        text = batch["null_prompt_embeds"] if dropped else batch["prompt_embeds"][one]
        expected = model.denoise(
            noisy[one], timesteps[one], text, None if dropped else encode(model, batch, one)
        )
        torch.testing.assert_close(predicted[one], expected, rtol=1e-4, atol=1e-5)


def test_every_trained_weight_has_a_gradient_even_when_all_is_dropped():
    model = small_igr().train()
    losses(model, photos(), drop=1.0).backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        if name.startswith(("garment_net", "extractor")) and parameter.requires_grad:
            assert parameter.grad.abs().max() == 0


def test_mixed_precision_trains():
    model = small_igr().train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = losses(model, photos(batch=4))
    loss.backward()
    assert loss.dtype == torch.float32
    assert abs(loss.item() - losses(model, photos(batch=4)).item()) < 0.05 * loss.item()


def test_latent_mask_averages():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :, :4] = 1
    assert torch.equal(latent_mask(mask, (2, 2))[0, 0], torch.tensor([[0.5, 0.0], [0.5, 0.0]]))


def test_there_is_one_prompt_for_each_category():
    assert set(CATEGORY_PROMPTS) == {"upper", "lower", "dress"}
    assert len(set(CATEGORY_PROMPTS.values())) == 3


def test_swapping_the_photos_swaps_the_garments():
    torch.manual_seed(0)
    model = IGRModel.from_base(small_unet(), IMAGE).train()
    pairs = photos(batch=2, size=(8, 8))
    pairs["prompt_embeds"] = pairs["prompt_embeds"][:1].expand(2, -1, -1)  # one category
    batch = {name: torch.cat([tensor] * 3) if len(tensor) == 2 else tensor for name, tensor in pairs.items()}
    generator = torch.Generator().manual_seed(0)
    overfit(model, lambda: igr_loss(model, batch, tiny.scheduler(), generator, 0.1)["loss"])

    model.eval()
    noise = torch.randn(1, 4, 8, 8, generator=generator).expand(2, -1, -1, -1)  # equal noise
    text, null = pairs["prompt_embeds"], pairs["null_prompt_embeds"]
    with torch.no_grad():
        wardrobe = encode(model, pairs)
        restored = {}
        for order in ((0, 1), (1, 0)):
            chosen = wardrobe.select(order)
            step = lambda z, t, w=chosen: model.guided(z, t, text, null, w, 1.5)  # noqa: E731
            restored[order] = sample(step, noise, tiny.scheduler(), 10)
    torch.testing.assert_close(restored[0, 1], restored[1, 0].flip(0), rtol=1e-3, atol=1e-3)
    for row in range(2):
        to_own = (restored[0, 1][row] - pairs["garment_latents"][row]).square().mean()
        to_other = (restored[0, 1][row] - pairs["garment_latents"][1 - row]).square().mean()
        assert to_own < 0.25 * to_other, (row, to_own, to_other)
