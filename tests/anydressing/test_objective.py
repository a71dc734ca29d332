from types import SimpleNamespace

import pytest
import torch
from tests.small_models import LATENT, TEXT, small_unet

from toile.anydressing.localization import RowMaps, localization_loss
from toile.anydressing.model import AnyDressingModel
from toile.anydressing.objective import anydressing_loss
from toile.anydressing.texture import predicted_original, texture_loss
from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures

SIZE = (8, 6)
ALONE = {"localization": None, "texture_weight": 0.0}


@pytest.fixture(scope="module")
def model():
    """Two kinds of garments, and no weights at zero, as after some training."""
    dressing = AnyDressingModel.from_base(small_unet(), rank=2)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in dressing.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=draw)
    return dressing


@pytest.fixture(scope="module")
def distance():
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6, 8)).eval().requires_grad_(False).distance


class Decoder(torch.nn.Module):
    """A convolution from latents to pictures eight times as large; it counts the rows that it draws."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.draw = torch.nn.ConvTranspose2d(LATENT, 3, 8, stride=8).requires_grad_(False)
        self.rows = 0

    def forward(self, latents):
        self.rows += len(latents)
        return self.draw(latents).tanh()


def items(batch=4, seed=1):
    """Photos at random with both garments; the last one has but the second."""
    draw = torch.Generator().manual_seed(seed)
    present = torch.ones(batch, 2, dtype=torch.bool)
    present[-1, 0] = False
    height, width = 8 * SIZE[0], 8 * SIZE[1]
    return {
        "person_latents": torch.randn(batch, LATENT, *SIZE, generator=draw),
        "garment_latents": torch.randn(batch, 2, LATENT, *SIZE, generator=draw)
        * present[..., None, None, None],
        "present": present,
        "worn": (torch.rand(batch, 2, height, width, generator=draw) > 0.5).byte() * 255,
        "picture": torch.randint(256, (batch, 3, height, width), generator=draw, dtype=torch.uint8),
        "prompt_embeds": torch.randn(batch, 5, TEXT, generator=draw),
        "null_prompt_embeds": torch.randn(1, 5, TEXT, generator=draw),
    }


def loss(model, batch, seed=0, scheduler=None, **settings):
    given = {"drop_probability": 0.0, "localization": "garments", "texture_threshold": 999} | settings
    generator = torch.Generator().manual_seed(seed)
    return anydressing_loss(model, batch, scheduler or tiny.scheduler(), generator, **given)


class Shown(torch.nn.Module):
    """Predicts half of what it is shown, and a map; one weight decides both. Remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.level = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, noisy, timesteps, prompts, null, garments, present, drop, localization, image_embeds):
        self.seen = SimpleNamespace(
            noisy=noisy, timesteps=timesteps, null=null, drop=drop, localization=localization
        )
        rows = (present & ~drop[:, None]).nonzero()
        flat = self.level.expand(len(rows), 1, SIZE[0] * SIZE[1])
        maps = [RowMaps(rows=rows[:, 0], kinds=rows[:, 1:], maps=flat)] if len(rows) else []
        return SimpleNamespace(noise=self.level * noisy, maps={"layer": maps} if localization else {})


@pytest.mark.parametrize("scheduler", [tiny.scheduler(), sd15_scheduler()], ids=["velocity", "noise"])
def test_a_perfect_model_has_no_noise_loss(scheduler):
    batch = items()

    class Perfect(torch.nn.Module):
        def forward(self, noisy, timesteps, *_):
            signal = scheduler.alphas_cumprod[timesteps][:, None, None, None]
            clean = batch["person_latents"]
            noise = (noisy - signal.sqrt() * clean) / (1 - signal).sqrt()
            velocity = signal.sqrt() * noise - (1 - signal).sqrt() * clean
            kind = scheduler.config.prediction_type
            return SimpleNamespace(noise=noise if kind == "epsilon" else velocity, maps={})

    losses = loss(Perfect(), batch, scheduler=scheduler, **ALONE)
    assert set(losses) == {"loss", "noise_loss"}
    assert losses["loss"] < 1e-6


def test_the_terms_have_the_papers_weights(model, distance):
    losses = loss(model, items(), decode=Decoder(), distance=distance)
    assert set(losses) == {"loss", "noise_loss", "localization_loss", "texture_loss"}
    parts = losses["noise_loss"], losses["localization_loss"], losses["texture_loss"]
    assert all(part > 1e-3 and part.shape == () for part in parts)
    torch.testing.assert_close(losses["loss"], parts[0] + 0.01 * parts[1] + 0.001 * parts[2])
    other = loss(
        model, items(), decode=Decoder(), distance=distance, localization_weight=2.0, texture_weight=3.0
    )
    torch.testing.assert_close(other["loss"], parts[0] + 2 * parts[1] + 3 * parts[2])


def test_the_terms_are_those_of_localization_and_of_texture(distance):
    model, batch, decode = Shown(), items(), Decoder()
    found = loss(model, batch, decode=decode, distance=distance, texture_threshold=500)
    seen = model.seen
    given = seen.noisy, seen.timesteps, None, None, None, batch["present"], seen.drop, "garments", None
    prediction = model(*given)
    expected = localization_loss(prediction.maps, batch["worn"], SIZE)
    torch.testing.assert_close(found["localization_loss"], expected)
    estimate = predicted_original(seen.noisy, prediction.noise, seen.timesteps, tiny.scheduler())
    early = seen.timesteps <= 500
    assert 0 < early.sum() < 4 and decode.rows == early.sum()
    expected = texture_loss(
        estimate,
        seen.timesteps,
        batch["picture"],
        batch["worn"],
        batch["present"],
        decode=decode,
        distance=distance,
        threshold=500,
    )
    torch.testing.assert_close(found["texture_loss"], expected)


def test_what_is_off_is_not_computed():
    model, batch = Shown(), items()
    for name in ("worn", "picture"):
        del batch[name]
    losses = loss(model, batch, **ALONE)
    assert set(losses) == {"loss", "noise_loss"}
    assert model.seen.localization is None
    assert torch.equal(losses["loss"], losses["noise_loss"])


def test_rows_that_lost_their_garments_count_in_the_noise_alone(distance):
    model, batch, decode = Shown(), items(batch=12), Decoder()
    settings = {"drop_probability": 0.5, "decode": decode, "distance": distance}
    found = loss(model, batch, **settings)
    drop = model.seen.drop
    assert 0 < drop.sum() < 12
    assert decode.rows == (~drop).sum()
    changed = {name: batch[name].clone() for name in ("worn", "picture")}
    for each in changed.values():
        each[drop] = 255 - each[drop]
    again = loss(model, batch | changed, **settings)
    assert all(torch.equal(again[name], value) for name, value in found.items())

    nothing = loss(model, batch, **settings | {"drop_probability": 0.999999})
    assert model.seen.drop.all()
    assert nothing["localization_loss"] == nothing["texture_loss"] == 0
    assert torch.equal(nothing["loss"], nothing["noise_loss"])


def test_conditions_are_dropped_as_often_as_asked_for():
    model = Shown()
    loss(model, items(batch=400), drop_probability=0.25, **ALONE)
    assert 0.18 < model.seen.drop.float().mean() < 0.32


def test_the_generator_alone_decides(model, distance):
    batch = items()
    first, again, other = (
        loss(model, batch, seed, drop_probability=0.3, decode=Decoder(), distance=distance)
        for seed in (1, 1, 2)
    )
    for name, value in first.items():
        assert torch.equal(value, again[name]), name
        assert not torch.equal(value, other[name]), name


def test_the_form_of_localization_reaches_the_maps(model):
    batch = items()
    garments, joint = (
        loss(model, batch, localization=mode, texture_weight=0.0) for mode in ("garments", "joint")
    )
    assert torch.equal(garments["noise_loss"], joint["noise_loss"])
    assert not torch.isclose(garments["localization_loss"], joint["localization_loss"], rtol=1e-3)


def test_each_term_reaches_what_trains_and_nothing_else(model, distance):
    decode = Decoder()
    for name in ("noise_loss", "localization_loss", "texture_loss"):
        model.zero_grad(set_to_none=True)
        loss(model, items(), decode=decode, distance=distance)[name].backward()
        moved = {key for key, each in model.named_parameters() if each.grad is not None and each.grad.any()}
        assert moved and all(key.startswith(("garments_net.adapters", "dressing_attention")) for key in moved)
        assert {key.split(".")[0] for key in moved} == {"garments_net", "dressing_attention"}, name
    model.zero_grad(set_to_none=True)


@pytest.mark.parametrize("mode", ["garments", "joint"])
def test_recomputed_activations_change_no_gradient(mode):
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        dressing = AnyDressingModel.from_base(small_unet(), rank=2).train()
        if checkpointing:
            dressing.enable_gradient_checkpointing()
        loss(dressing, items(), localization=mode, texture_weight=0.0)["localization_loss"].backward()
        gradients.append([each.grad for each in dressing.parameters() if each.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 0
    for kept, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(kept, recomputed)


def test_the_empty_prompt_may_come_without_a_batch_axis(model):
    batch = items()
    flat = batch | {"null_prompt_embeds": batch["null_prompt_embeds"][0]}
    results = [loss(model, each, drop_probability=0.5, **ALONE)["loss"] for each in (batch, flat)]
    assert torch.equal(*results)


def test_texture_without_a_decoder_or_a_distance_is_refused(distance):
    for given in ({"distance": distance}, {"decode": Decoder()}):
        with pytest.raises(ToileError, match="set texture_weight to 0"):
            loss(Shown(), items(), **given)
