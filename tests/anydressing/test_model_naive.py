import copy

import pytest
import torch
from tests.anydressing.naive import NaiveAnyDressing
from tests.anydressing.small_anydressing import KINDS, ddim, relative, small_anydressing
from tests.small_models import LATENT, TEXT, small_unet, unet_inputs

from toile.diffusion.guidance import guide
from toile.wardrobe import Wardrobe

SIZE = (8, 6)
OMEGA, SCALE = 6.0, 0.7


@pytest.fixture(scope="module")
def model():
    return small_anydressing()


@pytest.fixture(scope="module")
def naive(model):
    unet = small_unet(seed=1)  # stock diffusers: nothing of ours is installed in it
    return NaiveAnyDressing(model.garments_net, model.dressing_attention, unet)


def garment(seed):
    return torch.randn(LATENT, *SIZE, generator=torch.Generator().manual_seed(seed))


def texts(rows):
    draw = torch.Generator().manual_seed(9)
    return torch.randn(rows, 5, TEXT, generator=draw), torch.randn(1, 5, TEXT, generator=draw)


def wardrobe_of(model, garments, weights=()):
    """What a picture wears: (kind, latents) each."""
    kinds, latents = zip(*garments, strict=True)
    features = model.extract(torch.stack(latents), kinds)
    return model.project(features).with_scale(SCALE, weights)


def dressed(model, latents, timestep, text, null_text, wardrobe, omega=OMEGA):
    """One guided step: unconditional rows first, which own nothing."""
    rows = len(latents)
    unconditional, conditional = model.unet(
        torch.cat([latents, latents]),
        timestep,
        torch.cat([null_text.expand(rows, -1, -1), text]),
        cross_attention_kwargs={"wardrobe": wardrobe.for_rows((-1,) * rows + wardrobe.rows)},
    ).sample.chunk(2)
    return guide(conditional, unconditional, omega)


def sample(step, rows, steps=3):
    """DDIM with any function that predicts."""
    latents = torch.randn(rows, LATENT, *SIZE, generator=torch.Generator().manual_seed(4))
    scheduler = ddim(steps)
    for timestep in scheduler.timesteps:
        latents = scheduler.step(step(latents, timestep), timestep, latents).prev_sample
    return latents


def dress(model, wardrobe):
    text, null_text = texts(len(wardrobe.rows))
    return sample(lambda z, t: dressed(model, z, t, text, null_text, wardrobe), len(wardrobe.rows))


def dress_naively(naive, rows, weights=None):
    text, null_text = texts(len(rows))
    outfits = [naive.outfit(garments, weights) for garments in rows]
    return sample(lambda z, t: naive.guided(z, t, text, null_text, outfits, OMEGA, SCALE), len(rows))


UPPER, LOWER, HAT = ("upper", garment(0)), ("lower", garment(1)), ("hat", garment(2))
OUTFITS = {
    "one": [UPPER],
    "two": [UPPER, LOWER],
    "three": [UPPER, LOWER, HAT],
    "the same one twice": [UPPER, UPPER],
    "two of one kind": [UPPER, ("upper", garment(3))],
    "ten": [(KINDS[number % 3], garment(number)) for number in range(10)],
}


@torch.no_grad()
@pytest.mark.parametrize("name", OUTFITS)
def test_equals_the_paper_word_for_word(model, naive, name):
    ours = dress(model, wardrobe_of(model, OUTFITS[name]))
    assert relative(ours, dress_naively(naive, [OUTFITS[name]])) <= 1e-4
    assert relative(ours, dress_naively(naive, [[]])) > 1e-2  # the garments do matter


@torch.no_grad()
def test_rows_may_wear_different_numbers_of_garments(model, naive):
    rows = [OUTFITS["three"], OUTFITS["one"], [LOWER, HAT]]
    wardrobe = Wardrobe.stack([wardrobe_of(model, garments) for garments in rows])
    assert wardrobe.rows == ((0, 1, 2), (3,), (4, 5))
    assert relative(dress(model, wardrobe), dress_naively(naive, rows)) <= 1e-4


@torch.no_grad()
def test_a_row_that_wears_nothing_is_the_plain_unet(model):
    latents, timestep, text = unet_inputs(size=SIZE)
    wardrobe = wardrobe_of(model, OUTFITS["two"]).for_rows(((0, 1), -1))
    found = model.unet(latents, timestep, text, cross_attention_kwargs={"wardrobe": wardrobe}).sample
    plain = small_unet(seed=1)(latents, timestep, text).sample
    assert torch.equal(found[1], plain[1])
    assert relative(found[0], plain[0]) > 1e-2


@torch.no_grad()
def test_without_any_weight_on_garments_the_unet_is_the_frozen_one_to_the_bit(model):
    plain, inputs = small_unet(seed=1), unet_inputs(size=SIZE)
    wardrobe = wardrobe_of(model, OUTFITS["two"]).for_rows(((0, 1), (0, 1)))
    for given in ({"wardrobe": wardrobe.with_scale(0.0)}, {"wardrobe": None}, {}):
        found = model.unet(*inputs, cross_attention_kwargs=given).sample
        assert torch.equal(found, plain(*inputs).sample)


@torch.no_grad()
def test_the_order_of_garments_does_not_matter(model):
    order = [2, 0, 1]
    three = dress(model, wardrobe_of(model, OUTFITS["three"], (1.0, 0.4, 0.8)))
    shuffled = [OUTFITS["three"][place] for place in order]
    again = dress(model, wardrobe_of(model, shuffled, [(1.0, 0.4, 0.8)[place] for place in order]))
    assert relative(again, three) <= 1e-5


@torch.no_grad()
def test_the_same_garment_twice_is_the_same_as_once(model):
    once = dress(model, wardrobe_of(model, [UPPER]))
    assert relative(dress(model, wardrobe_of(model, [UPPER, UPPER])), once) <= 1e-5


@torch.no_grad()
def test_the_weight_of_a_garment_scales_its_values_and_leaves_the_softmax(model, naive):
    plain, weights = wardrobe_of(model, OUTFITS["two"]), (0.25, 1.5)
    weighted = plain.with_scale(SCALE, weights)
    for name, layer in plain.layers.items():
        assert torch.equal(weighted.layers[name].key, layer.key)
        for item, weight in enumerate(weights):
            assert torch.equal(weighted.layers[name].value[item], layer.value[item] * weight)
    ours = dress(model, weighted)
    assert relative(ours, dress_naively(naive, [OUTFITS["two"]], weights)) <= 1e-4
    assert relative(ours, dress(model, plain)) > 1e-2


@torch.no_grad()
def test_merged_weights_are_not_those_of_another_kind(naive):
    """The comparison would prove nothing if all kinds were alike."""
    latents = garment(0)
    last = naive.garments_net.paths[-1]
    upper, lower = (naive.features(kind, latents)[last] for kind in ("upper", "lower"))
    assert relative(lower, upper) > 1e-2


@torch.no_grad()
def test_the_naive_unet_is_diffusers_own(naive):
    latents, timestep, text = unet_inputs(batch=1, size=SIZE)
    expected = copy.deepcopy(naive.unet)(latents, timestep, text).sample
    found = naive.predict(latents, timestep[0], text, [], SCALE)
    assert relative(found, expected) <= 1e-5
