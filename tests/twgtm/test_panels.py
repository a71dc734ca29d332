import pytest
import torch
from tests.small_models import LATENT, small_unet, unet_inputs

from toile.errors import ToileError
from toile.twgtm.panels import (
    bounding_box,
    box_repaint,
    from_inpainting,
    from_text_to_image,
    full_repaint,
    inference_panels,
    left_panel,
    panels,
    rectangle_repaint,
    right_panel,
    side_by_side,
    stage1_repaint,
    unet_input,
)

PERSON = [[0.1, 0.2], [0.3, 0.4]]
GARMENT = [[-0.1, -0.2], [-0.3, -0.4]]


def picture(rows):
    """A grey picture (1 3 H W) of rows of numbers."""
    return torch.tensor(rows)[None, None].repeat(1, 3, 1, 1)


def mask(rows):
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def silhouette(x0, y0, x1, y1, size=(64, 48)):
    return box_repaint([(x0, y0, x1, y1)], size)


def test_trying_on_by_hand():
    made = panels(picture(PERSON), picture(GARMENT), mask([[1, 0], [0, 1]]))
    assert torch.equal(made.pictures, picture([[0.1, 0.2, -0.1, -0.2], [0.3, 0.4, -0.3, -0.4]]))
    assert torch.equal(made.guidance, picture([[0.0, 0.2, -0.1, -0.2], [0.3, 0.0, -0.3, -0.4]]))
    assert torch.equal(made.known, mask([[0, 1, 1, 1], [1, 0, 1, 1]]))


def test_taking_off_in_stage_1_by_hand():
    repaint = stage1_repaint(mask([[0.2, 0.6], [0.5, 1.0]]))
    made = panels(picture(GARMENT), picture(PERSON), repaint)
    assert torch.equal(made.pictures, picture([[-0.1, -0.2, 0.1, 0.2], [-0.3, -0.4, 0.3, 0.4]]))
    assert torch.equal(made.guidance, picture([[-0.1, 0.0, 0.1, 0.2], [-0.3, 0.0, 0.3, 0.4]]))
    assert torch.equal(made.known, mask([[1, 0, 1, 1], [1, 0, 1, 1]]))


def test_taking_off_in_stage_2_by_hand():
    ell = mask([[0, 0, 0], [0, 1, 0], [0, 1, 1]])  # too small a picture for a radius above zero
    repaint = rectangle_repaint(ell, torch.Generator().manual_seed(0))
    made = panels(picture([[0.5] * 3] * 3), picture([[0.7] * 3] * 3), repaint)
    assert torch.equal(made.known, mask([[1, 1, 1, 1, 1, 1], [1, 0, 0, 1, 1, 1], [1, 0, 0, 1, 1, 1]]))
    expected = [[0.5, 0.5, 0.5, 0.7, 0.7, 0.7], *[[0.5, 0.0, 0.0, 0.7, 0.7, 0.7]] * 2]
    assert torch.equal(made.guidance, picture(expected))


def test_trying_on_at_inference_by_hand():
    given = inference_panels(picture(GARMENT), mask([[1, 0], [0, 1]]), picture(PERSON))
    trained = panels(picture(PERSON), picture(GARMENT), mask([[1, 0], [0, 1]]))
    assert given.pictures is None
    assert torch.equal(given.guidance, trained.guidance)
    assert torch.equal(given.known, trained.known)


def test_taking_off_at_inference_by_hand():
    person = picture(PERSON)
    nothing = inference_panels(person, full_repaint(person))
    assert torch.equal(nothing.guidance, picture([[0.0, 0.0, 0.1, 0.2], [0.0, 0.0, 0.3, 0.4]]))
    assert torch.equal(nothing.known, mask([[0, 0, 1, 1], [0, 0, 1, 1]]))

    boxed = inference_panels(person, box_repaint([(1, 0, 2, 2)], (2, 2)))
    assert torch.equal(boxed.guidance, picture([[1.0, 0.0, 0.1, 0.2], [1.0, 0.0, 0.3, 0.4]]))
    assert torch.equal(boxed.known, mask([[1, 0, 1, 1], [1, 0, 1, 1]]))


def test_a_box_shows_what_training_showed_around_the_same_rectangle():
    person, white = torch.rand(1, 3, 8, 6), torch.ones(1, 3, 8, 6)
    garment = white.clone()
    garment[..., 2:5, 1:4] = -0.5
    rectangle = box_repaint([(1, 2, 4, 5)], (8, 6))
    trained, given = panels(garment, person, rectangle), inference_panels(person, rectangle)
    assert torch.equal(trained.guidance, given.guidance)
    assert torch.equal(trained.known, given.known)


def test_panels_are_taken_apart_as_they_were_put_together():
    left, right = torch.randn(2, 2, 5, 4, 3).unbind()
    both = side_by_side(left, right)
    assert torch.equal(both, torch.cat([left, right], dim=3))
    assert torch.equal(left_panel(both), left)
    assert torch.equal(right_panel(both), right)


def test_rectangles_are_as_the_generator_says_and_stay_near_the_silhouette():
    garments = silhouette(16, 24, 32, 40).repeat(400, 1, 1, 1)
    found = rectangle_repaint(garments, torch.Generator().manual_seed(3))
    again = rectangle_repaint(garments, torch.Generator().manual_seed(3))
    assert torch.equal(found, again)
    grown = set()
    for item in found:
        x0, y0, x1, y1 = bounding_box(item)
        assert torch.equal(item, silhouette(x0, y0, x1, y1)[0])  # a filled rectangle
        assert 16 - x0 == 24 - y0 == x1 - 32 == y1 - 40  # as far to every side
        grown.add(16 - x0)
    assert grown == set(range(-4, 5))  # a sixteenth of 64 rows, eroded and dilated


def test_radii_grow_with_the_picture():
    small, large = silhouette(16, 24, 32, 40), silhouette(64, 96, 128, 160, size=(256, 192))
    reach = {}
    for name, garment in {"small": small, "large": large}.items():
        seeds = [torch.Generator().manual_seed(seed) for seed in range(60)]
        reach[name] = min(bounding_box(rectangle_repaint(garment, seed)[0])[0] for seed in seeds)
    assert (reach["small"], reach["large"]) == (16 - 4, 64 - 16)


def test_dilation_stops_at_the_border_and_no_erosion_loses_the_garment():
    whole, thin = silhouette(0, 0, 48, 64), silhouette(10, 20, 11, 60)
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        filled, line = rectangle_repaint(torch.cat([whole, thin]), generator)
        assert filled.all()  # nothing beyond the border eats into it
        x0, y0, x1, y1 = bounding_box(line)
        assert x0 <= 10 < 11 <= x1
        assert y0 <= 20 < 60 <= y1


def test_items_of_a_batch_get_rectangles_of_their_own():
    garments = silhouette(16, 24, 32, 40).repeat(8, 1, 1, 1)
    found = rectangle_repaint(garments, torch.Generator().manual_seed(0))
    assert len({bounding_box(item) for item in found}) > 1


def test_bounding_box_by_hand():
    marked = mask([[0, 0.5, 0, 0], [0, 0.6, 0, 0], [0, 0, 1, 0]])
    assert bounding_box(marked[0]) == (1, 1, 3, 3)
    assert torch.equal(box_repaint([(1, 1, 3, 3)], (3, 4)), mask([[0] * 4, [0, 1, 1, 0], [0, 1, 1, 0]]))


def test_an_empty_mask_is_refused():
    with pytest.raises(ToileError, match=r"marks no pixel: its greatest value is 0\.4"):
        bounding_box(torch.full((1, 4, 4), 0.4))
    with pytest.raises(ToileError, match="marks no pixel"):
        rectangle_repaint(torch.zeros(1, 1, 64, 48), torch.Generator())


@pytest.mark.parametrize("box", [(2, 0, 2, 4), (0, 3, 4, 2), (-1, 0, 2, 2), (0, 0, 7, 4), (0, 0, 6, 9)])
def test_a_box_that_does_not_fit_is_refused(box):
    with pytest.raises(ToileError, match=r"0 <= x0 < x1 <= 6 and 0 <= y0 < y1 <= 8"):
        box_repaint([box], (8, 6))


def test_unet_input_stacks_latents_and_the_mask_less_one():
    noisy, guidance = torch.randn(2, 1, 4, 1, 2).unbind()
    known = mask([[1, 0, 1, 1], [0, 0, 1, 1]])  # two pixels a latent
    stacked = unet_input(noisy, guidance, known)
    assert torch.equal(stacked[:, :4], noisy)
    assert torch.equal(stacked[:, 4:8], guidance)
    assert torch.equal(stacked[:, 8:], mask([[-0.75, 0.0]]))
    resized = unet_input(noisy, guidance, mask([[0.25, 1.0]]))
    assert torch.equal(resized, stacked)


def exact(tensor, unit):
    """Round to multiples of a power of two, so that sums of products come out the same in any order."""
    return (tensor / unit).round() * unit


@torch.no_grad()
def test_published_inpainting_weights_give_the_same_to_the_bit():
    published = small_unet(in_channels=2 * LATENT + 1)
    published.conv_in.weight.copy_(exact(published.conv_in.weight, 1 / 64))
    published.conv_in.bias.copy_(exact(published.conv_in.bias, 1 / 64))
    assert published.conv_in.weight[:, LATENT].abs().max() > 0.05  # the mask does count
    ours = from_inpainting(published)
    latents, timesteps, text = unet_inputs(channels=2 * LATENT, size=(8, 12))
    noisy, masked = exact(latents, 1 / 64).chunk(2, dim=1)
    repaint = torch.zeros(2, 1, 8, 12)
    repaint[0, :, 2:6, 3:9] = 1
    repaint[1, :, :, :6] = 1  # up to three borders
    repaint[1, :, 3, 7] = 0.25

    expected_input = torch.cat([noisy, repaint, masked], dim=1)
    found_input = unet_input(noisy, masked, 1 - repaint)
    assert torch.equal(ours.conv_in(found_input), published.conv_in(expected_input))
    expected = published(expected_input, timesteps, text).sample
    assert torch.equal(ours(found_input, timesteps, text).sample, expected)

    found_input[:, -1:] += 1  # h_m itself: right up to a constant inside, and wrong along the border
    difference = ours.conv_in(found_input) - published.conv_in(expected_input)
    assert torch.equal(difference[..., 1:-1, 1:-1], difference[..., 1:2, 1:2].expand(-1, -1, 6, 10))
    assert not torch.equal(difference[..., 0, 1:-1], difference[..., 1, 1:-1])


@torch.no_grad()
def test_conversion_leaves_the_published_weights_alone():
    published = small_unet(in_channels=2 * LATENT + 1)
    before = {name: tensor.clone() for name, tensor in published.state_dict().items()}
    ours = from_inpainting(published)
    for parameter in ours.parameters():
        parameter.add_(1)
    assert all(torch.equal(published.state_dict()[name], tensor) for name, tensor in before.items())
    assert ours.config.in_channels == 2 * LATENT + 1


@torch.no_grad()
def test_a_text_to_image_unet_starts_by_ignoring_what_it_has_not_seen():
    base = small_unet()
    ours = from_text_to_image(base)
    latents, timesteps, text = unet_inputs()
    stacked = unet_input(latents, torch.randn_like(latents), torch.rand(2, 1, 8, 8))
    torch.testing.assert_close(ours(stacked, timesteps, text).sample, base(latents, timesteps, text).sample)


def test_the_wrong_kind_of_unet_is_refused():
    with pytest.raises(ToileError, match=f"reads {LATENT} channels; an inpainting U-Net"):
        from_inpainting(small_unet())
    with pytest.raises(ToileError, match=f"reads {2 * LATENT + 1} channels; a text-to-image U-Net"):
        from_text_to_image(small_unet(in_channels=2 * LATENT + 1))
