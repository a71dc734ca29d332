import math

import pytest
import torch
from tests.anydressing.small_anydressing import (
    KINDS,
    batch_of,
    relative,
    small_anydressing,
    small_image_prompt,
)
from tests.small_models import small_unet

from toile.anydressing.dressing_attention import is_installed
from toile.anydressing.model import AnyDressingModel, RowOutfits
from toile.diffusion.layers import attention_layers
from toile.errors import ToileError

PRESENT = [[True, True, False], [True, True, True], [False, False, True], [False] * 3, [True, False, True]]
TIMES = torch.tensor([10, 300, 500, 700, 900])


def predict(model, batch, drop=None, localization=None, rows=slice(None), embeds=False):
    """A training step's forward pass on some rows of a batch."""
    names = ("person_latents", "prompt_embeds", "garment_latents", "present", "image_embeds")
    noisy, prompts, garments, present, image_embeds = (batch[name][rows] for name in names)
    dropped = torch.zeros(len(noisy), dtype=torch.bool) if drop is None else torch.tensor(drop)[rows]
    return model(
        noisy,
        TIMES[: len(batch["present"])][rows],
        prompts,
        batch["null_prompt_embeds"],
        garments,
        present,
        dropped,
        localization,
        image_embeds if embeds else None,
    )


def one(row):
    return slice(row, row + 1)


def loss_of(prediction):
    """Something that every part of a prediction matters to."""
    loss = prediction.noise.square().mean()
    for groups in prediction.maps.values():
        for group in groups:
            loss = loss + (group.maps * group.maps.detach().cos()).mean()
    return loss


@torch.no_grad()
@pytest.mark.parametrize("separate", [True, False])
def test_rows_of_one_batch_do_not_matter_to_each_other(separate):
    model, batch = small_anydressing("full", separate=separate), batch_of(PRESENT, size=(8, 4))
    together = predict(model, batch).noise
    for row in range(len(PRESENT)):
        assert relative(together[one(row)], predict(model, batch, rows=one(row)).noise) <= 1e-5


@torch.no_grad()
def test_a_step_sees_what_a_wardrobe_shows():
    model, batch = small_anydressing(), batch_of(PRESENT)
    found = predict(model, batch).noise
    for row in (0, 1, 2, 4):
        own = [place for place, there in enumerate(PRESENT[row]) if there]
        kinds = [KINDS[place] for place in own]
        features = model.extract(batch["garment_latents"][row, own], kinds)
        wardrobe = model.project(features)
        assert wardrobe.rows == (tuple(range(len(own))),) and wardrobe.per_picture
        assert wardrobe.categories == tuple(kinds)
        inputs = batch["person_latents"][one(row)], TIMES[one(row)], batch["prompt_embeds"][one(row)]
        expected = model.unet(*inputs, cross_attention_kwargs={"wardrobe": wardrobe}).sample
        assert relative(found[one(row)], expected) <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize("image_prompt", [False, True])
def test_dropped_rows_are_the_plain_unet_on_the_empty_prompt(image_prompt):
    model = small_image_prompt() if image_prompt else small_anydressing()
    batch, drop = batch_of(PRESENT), [False, True, False, True, False]
    localization = None if image_prompt else "garments"
    found = predict(model, batch, drop, localization, embeds=image_prompt)
    plain = small_unet(seed=1)
    for row in range(len(PRESENT)):
        text = batch["null_prompt_embeds"] if drop[row] else batch["prompt_embeds"][one(row)]
        expected = plain(batch["person_latents"][one(row)], TIMES[one(row)], text).sample
        difference = relative(found.noise[one(row)], expected)
        assert difference <= 1e-5 if drop[row] else difference > 1e-2, row
    for groups in found.maps.values():
        assert {row for group in groups for row in group.rows.tolist()} == {0, 2, 4}


@torch.no_grad()
@pytest.mark.parametrize("mode", ["garments", "joint"])
def test_maps_come_back_by_the_batchs_own_rows_and_kinds(mode):
    model, batch = small_anydressing(), batch_of(PRESENT)
    prediction = predict(model, batch, localization=mode)
    assert set(prediction.maps) == set(attention_layers(model.unet, "attn1"))
    alone = {row: predict(model, batch, localization=mode, rows=one(row)) for row in (0, 1, 2, 4)}
    for path, groups in prediction.maps.items():
        seen = {}
        for group in groups:
            for row, kinds, maps in zip(group.rows.tolist(), group.kinds.tolist(), group.maps, strict=True):
                seen[row] = kinds
                expected = alone[row].maps[path][0]
                assert expected.rows.tolist() == [0] and expected.kinds.tolist() == [kinds]
                torch.testing.assert_close(maps, expected.maps[0], rtol=1e-4, atol=1e-6)
                total = maps.sum(dim=0)
                assert (total < 1 - 1e-3).any() if mode == "joint" else (total - 1).abs().max() < 1e-5
        assert seen == {0: [0, 1], 1: [0, 1, 2], 2: [2], 4: [0, 2]}
    assert relative(prediction.noise, predict(model, batch).noise) <= 1e-5  # to look is not to touch


def test_rows_of_equally_many_garments_become_neighbours():
    outfits = RowOutfits.of(torch.tensor([[True, True], [False, False], [False, True], [True, True]]))
    assert outfits.order.tolist() == [1, 2, 0, 3]
    assert outfits.owners == ((), (0,), (1, 2), (3, 4))
    assert outfits.rows.tolist() == [1, 2, 2, 3, 3]
    assert outfits.kinds.tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("trained", "separate", "parts"),
    [
        ("lora", True, ("garments_net.adapters", "dressing_attention")),
        ("full", True, ("garments_net", "dressing_attention")),
        ("full", False, ("garments_net", "dressing_attention")),
    ],
)
def test_gradients_reach_exactly_what_should_train(trained, separate, parts):
    model, batch = small_anydressing(trained, separate=separate).train(), batch_of(PRESENT, size=(8, 4))
    loss_of(predict(model, batch, localization="garments")).backward()
    for name, parameter in model.named_parameters():
        if name.startswith(parts):
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
        else:
            assert not parameter.requires_grad and parameter.grad is None, name
    assert not any(parameter.requires_grad for parameter in model.unet.parameters())


def test_a_kind_that_nobody_wears_has_a_gradient_of_zero():
    model, batch = small_anydressing().train(), batch_of([[True, False, False], [False, True, False]])
    predict(model, batch).noise.square().mean().backward()
    for kind, adapter in model.garments_net.adapters.items():
        for parameter in adapter.parameters():
            assert (parameter.grad.abs().max() == 0) == (kind == "hat")


@pytest.mark.parametrize("trained", ["lora", "full"])
def test_every_trained_weight_has_a_gradient_even_when_all_is_dropped(trained):
    model, batch = small_anydressing(trained).train(), batch_of(PRESENT)
    prediction = predict(model, batch, drop=[True] * 5, localization="garments")
    assert prediction.maps == {}
    prediction.noise.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        assert parameter.grad is None or parameter.grad.abs().max() == 0, name


@pytest.mark.parametrize("trained", ["lora", "full"])
def test_checkpointing_changes_no_gradient(trained):
    model, batch = small_anydressing(trained).train(), batch_of(PRESENT)

    def step():
        model.zero_grad()
        loss = loss_of(predict(model, batch, localization="joint"))
        loss.backward()
        return loss, {name: weight.grad for name, weight in model.named_parameters() if weight.requires_grad}

    loss, gradients = step()
    model.enable_gradient_checkpointing()
    assert model.unet.is_gradient_checkpointing and model.garments_net.unet.is_gradient_checkpointing
    again, recomputed = step()
    assert torch.equal(again, loss)
    assert all(torch.equal(recomputed[name], gradient) for name, gradient in gradients.items())


def test_mixed_precision_trains():
    model, batch = small_anydressing().train(), batch_of(PRESENT)
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(predict(model, batch, localization="garments"))
    loss.backward()
    exact = loss_of(predict(model, batch, localization="garments"))
    assert abs(loss.item() - exact.item()) < 0.05 * exact.item()
    assert all(parameter.grad is not None for parameter in model.parameters() if parameter.requires_grad)


@torch.no_grad()
def test_the_base_reads_garments_side_by_side():
    model, batch = small_anydressing("full", separate=False), batch_of([[True, True, False]], size=(8, 4))
    latents = batch["garment_latents"][0, :2]
    features = model.extract(latents, ["upper", "lower"])
    assert features.items == 2
    alone = model.extract(latents[:1], ["upper"])
    last = model.garments_net.paths[-1]
    assert relative(features.hidden_states[last][:1], alone.hidden_states[last]) > 1e-3


@torch.no_grad()
def test_the_unet_is_frozen_and_of_diffusers_classes_but_for_its_attention():
    base = small_unet(seed=1)
    names = list(base.state_dict())
    model = AnyDressingModel.from_base(base, KINDS)
    assert model.unet is base and is_installed(base) and list(base.state_dict()) == names
    assert not any(parameter.requires_grad for parameter in base.parameters())
    expected, primed = attention_layers(base, "attn1"), model.dressing_attention
    for name, own in zip(primed.config["names"], primed.layers, strict=True):
        assert torch.equal(own.to_k.weight, expected[name].to_k.weight)
        assert torch.equal(own.to_v.weight, expected[name].to_v.weight)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ToileError, match="garment kind 'glove' is unknown"):
        small_anydressing().extract(torch.zeros(1, 4, 8, 8), ["glove"])


@torch.no_grad()
def test_the_stamp_of_features_is_that_of_garments_net():
    model = small_anydressing()
    before = model.weights_hash()
    model.dressing_attention.layers[0].to_k.weight += 1
    assert model.weights_hash() == before
    model.garments_net.adapters["hat"].up[0] += 1
    assert model.weights_hash() != before


@torch.no_grad()
def test_the_baseline_attends_to_a_few_tokens_a_garment():
    model, batch = small_image_prompt(), batch_of([[True, False, True]])
    layer = next(iter(attention_layers(model.unet, "attn2").values()))
    seen = []
    layer.register_forward_hook(lambda _, given, options, made: seen.append((given, made)), with_kwargs=True)
    predict(model, batch, embeds=True)
    (given, made), text = seen[0], batch["prompt_embeds"]

    tokens = model.extractor(batch["image_embeds"][0, [0, 2]])
    key, value = model.extractor.keys_and_values(tokens)[0]
    query = layer.to_q(given[0])

    def attend(key, value):
        split = [states.unflatten(-1, (layer.heads, -1)).transpose(1, 2) for states in (query, key, value)]
        logits = split[0] @ split[1].transpose(-1, -2) / math.sqrt(split[0].shape[-1])
        return (logits.softmax(dim=-1) @ split[2]).transpose(1, 2).flatten(2)

    garments = attend(key.flatten(0, 1)[None], value.flatten(0, 1)[None])
    expected = layer.to_out[0](attend(layer.to_k(text), layer.to_v(text)) + garments)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_rows_of_the_baseline_do_not_matter_to_each_other():
    model, batch = small_image_prompt(), batch_of(PRESENT)
    together = predict(model, batch, embeds=True).noise
    for row in range(len(PRESENT)):
        alone = predict(model, batch, rows=one(row), embeds=True).noise
        assert relative(together[one(row)], alone) <= 1e-5


def test_gradients_of_the_baseline_reach_the_extractor_alone():
    model, batch = small_image_prompt().train(), batch_of(PRESENT)
    predict(model, batch, embeds=True).noise.square().mean().backward()
    for name, parameter in model.named_parameters():
        reached = parameter.grad is not None and parameter.grad.abs().max() > 0
        assert reached == name.startswith("extractor"), name
