import numpy as np
import pytest
import torch
from tests.evaluation.pictures import blurred, textured

from toile.anydressing.texture import (
    canny_edges,
    high_frequency_loss,
    perception_loss,
    predicted_original,
    texture_loss,
)
from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures

SCHEDULERS = {"velocity": tiny.scheduler(), "noise": sd15_scheduler()}


@pytest.fixture(scope="module")
def distance():
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6, 8)).eval().requires_grad_(False).distance


def photos(rows=3):
    """Photos and the two garments in each; the last photo has but the second, which lies at the top."""
    picture = (textured(rows) * 255).round().byte()  # (R 3 64 48)
    worn = torch.zeros(rows, 2, 64, 48, dtype=torch.uint8)
    worn[:, 0, 32:, 8:40] = 255
    worn[:, 1, :24, 10:30] = 255
    present = torch.ones(rows, 2, dtype=torch.bool)
    present[-1, 0] = False
    return picture, worn, present


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("t", [0, 1, 350, 700, 999])
def test_the_guess_is_that_of_diffusers_ddim(name, t):
    scheduler = SCHEDULERS[name]
    draw = torch.Generator().manual_seed(t)
    noisy, prediction = (torch.randn(2, 4, 6, 5, generator=draw) for _ in range(2))
    scheduler.set_timesteps(1000)
    expected = scheduler.step(prediction, t, noisy).pred_original_sample
    found = predicted_original(noisy, prediction, torch.full((2,), t), scheduler)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_each_row_has_its_own_timestep_and_a_perfect_prediction_gives_the_latents(name):
    scheduler, timesteps = SCHEDULERS[name], torch.tensor([3, 340, 900])
    draw = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(3, 4, 6, 5, generator=draw) for _ in range(2))
    noisy = scheduler.add_noise(clean, noise, timesteps)
    velocity = scheduler.get_velocity(clean, noise, timesteps)
    found = predicted_original(noisy, noise if name == "noise" else velocity, timesteps, scheduler)
    torch.testing.assert_close(found, clean, rtol=1e-3, atol=1e-4)


def test_a_scheduler_of_another_kind_is_refused():
    scheduler = type(tiny.scheduler()).from_config(tiny.scheduler().config, prediction_type="sample")
    with pytest.raises(ToileError, match="prediction_type is 'sample'"):
        predicted_original(*torch.zeros(2, 1, 4, 2, 2), torch.zeros(1, dtype=torch.long), scheduler)


def test_edges_lie_where_colours_change():
    picture = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    picture[0, :, :, 16:] = 255
    picture[1, 0, :16], picture[1, 2, 16:] = 150, 255  # red above blue
    edges = canny_edges(picture)
    assert edges.shape == (2, 1, 32, 32) and set(edges.unique().tolist()) == {0, 1}
    assert edges[0, 0].any(0).nonzero().flatten().tolist() in ([15], [16])
    assert edges[1, 0].any(1).nonzero().flatten().tolist() in ([15], [16])
    assert edges[0, 0, :, 15:17].any(1).sum() >= 30


def test_colours_of_equal_brightness_have_edges_too():
    import cv2

    picture = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    picture[0, 0, :, :16], picture[0, 1, :, 16:] = 196, 100  # red beside a green as bright
    grey = cv2.cvtColor(np.ascontiguousarray(picture[0].movedim(0, -1)), cv2.COLOR_RGB2GRAY)
    assert np.ptp(grey) <= 1
    assert canny_edges(picture).sum() >= 30


def test_perception_is_the_mean_over_the_garments_that_are_there(distance):
    picture, worn, present = photos()
    true, masks = picture.float() / 255, worn.float() / 255
    drawn = blurred(true, 5)
    found = perception_loss(drawn, true, masks, present, distance)
    upper, lower = (distance(drawn * masks[:, k, None], true * masks[:, k, None]) for k in range(2))
    expected = torch.cat([(upper + lower)[:2] / 2, lower[2:]])
    assert (expected > 1e-4).all()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_perception_stays_in_single_precision_under_autocast(distance):
    picture, worn, present = photos()
    true, masks = picture.float() / 255, worn.float() / 255
    drawn = blurred(true, 5)
    with torch.autocast("cpu", torch.bfloat16):
        found = perception_loss(drawn, true, masks, present, distance)
    assert torch.equal(found, perception_loss(drawn, true, masks, present, distance))


def test_high_frequency_by_hand():
    draw = torch.Generator().manual_seed(0)
    drawn, true = (torch.rand(2, 3, 4, 5, generator=draw) for _ in range(2))
    worn, edges = (torch.rand(2, n, 4, 5, generator=draw).round() for n in (2, 1))
    present = torch.tensor([[True, True], [False, True]])
    found = high_frequency_loss(drawn, true, worn, present, edges)
    each = [
        [
            ((drawn[row] * worn[row, k] * edges[row] - true[row] * worn[row, k] * edges[row]) ** 2).mean()
            for k in range(2)
        ]
        for row in range(2)
    ]
    torch.testing.assert_close(found, torch.stack([(each[0][0] + each[0][1]) / 2, each[1][1]]))


class Decoder:
    """Draws blurred photos, as bright as the latents, and remembers what it was given."""

    def __init__(self, pictures):
        self.pictures, self.seen = pictures, []

    def __call__(self, latents):
        self.seen.append(latents)
        # the first latent value names the photo, and the second adds to it
        photos = self.pictures[latents[:, 0, 0, 0].round().long()]
        return photos + latents[:, 1:2, :1, :1]


def estimate(rows=3):
    """Latents that `Decoder` knows to draw."""
    latents = torch.zeros(rows, 4, 8, 6)
    latents[:, 0] = torch.arange(rows)[:, None, None]
    return latents.requires_grad_()


def texture(latents, timesteps, given, decode, distance):
    return texture_loss(
        latents, torch.tensor(timesteps), *given, decode=decode, distance=distance, threshold=350
    )


def test_the_loss_adds_up_the_rows_with_little_noise_and_decodes_no_other(distance):
    given = picture, worn, present = photos()
    true = picture.float() / 255
    drawn = blurred(true, 5)
    decode, latents = Decoder(2 * drawn - 1), estimate()
    found = texture(latents, [350, 351, 10], given, decode, distance)
    (seen,) = decode.seen
    assert torch.equal(seen, latents[[0, 2]])
    masks = worn.float() / 255
    rows = perception_loss(drawn, true, masks, present, distance)
    rows = rows + high_frequency_loss(drawn, true, masks, present, canny_edges(picture))
    assert (rows > 1e-4).all()
    torch.testing.assert_close(found, (rows[0] + rows[2]) / 3, rtol=1e-4, atol=1e-6)
    found.backward()
    moved = latents.grad.abs().amax((1, 2, 3))
    assert moved[0] > 0 and moved[1] == 0 and moved[2] > 0 and latents.grad.isfinite().all()


def test_much_noise_and_rows_without_garments_cost_nothing_and_decode_nothing(distance):
    picture, worn, present = photos()
    decode = Decoder(picture.float())
    late = texture(estimate(), [351, 500, 999], (picture, worn, present), decode, distance)
    bare = texture(estimate(), [0, 1, 2], (picture, worn, present & False), decode, distance)
    assert late == bare == 0
    assert not late.requires_grad and not bare.requires_grad
    assert decode.seen == []


def test_the_true_picture_costs_nothing(distance):
    given = photos()
    decode = Decoder(given[0].float() / 127.5 - 1)
    assert texture(estimate(), [0, 100, 350], given, decode, distance) < 1e-6


def test_what_lies_outside_the_garments_costs_nothing(distance):
    given = picture, worn, _ = photos()
    outside = (worn == 0).all(1, keepdim=True)
    changed = torch.where(outside, 255 - picture, picture)
    decode = Decoder(changed.float() / 127.5 - 1)
    assert texture(estimate(), [0, 100, 350], given, decode, distance) < 1e-6


def test_a_garment_that_cannot_be_seen_leaves_gradients_finite(distance):
    picture, worn, present = photos()
    latents = estimate()
    drawn = blurred(picture.float() / 255, 5) * 2 - 1
    texture(latents, [0, 0, 0], (picture, worn & 0, present), Decoder(drawn), distance).backward()
    assert latents.grad.isfinite().all()


def test_photos_of_another_size_than_the_decoders_are_refused(distance):
    given = photos()
    decode = Decoder(torch.zeros(3, 3, 32, 24))
    with pytest.raises(ToileError, match="the decoder draws 24×32 pixels, but the photos have 48×64"):
        texture(estimate(), [0, 0, 0], given, decode, distance)
