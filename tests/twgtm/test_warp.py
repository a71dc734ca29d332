import pytest
import torch
from scipy.interpolate import RBFInterpolator

from toile.twgtm.panels import box_repaint, full_repaint, known_part, unet_input
from toile.twgtm.warp import (
    WarpRegressor,
    control_points,
    one_panel,
    pixel_centres,
    sampling_grid,
    spline_weights,
    warp,
    warp_loss,
)


def pictures(batch=2, size=(32, 24), seed=0):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def affine_displacements(matrix, shift, points=5):
    """The displacements of p → matrix · p + shift at the control points (1 g g 2)."""
    control = control_points(points)
    moved = control @ torch.tensor(matrix).T + torch.tensor(shift)
    return (moved - control).reshape(1, points, points, 2)


def test_no_displacement_changes_nothing():
    reference = pictures()
    grid = sampling_grid(torch.zeros(2, 5, 5, 2), (32, 24))
    expected = torch.nn.functional.affine_grid(
        torch.eye(2, 3).repeat(2, 1, 1), [2, 3, 32, 24], align_corners=False
    )
    torch.testing.assert_close(grid, expected)
    torch.testing.assert_close(warp(reference, torch.zeros(2, 5, 5, 2)), reference, rtol=0, atol=1e-5)


@pytest.mark.parametrize("points", [2, 3, 5, 8])
def test_an_affine_map_is_recovered_everywhere(points):
    matrix, shift = [[0.8, -0.3], [0.2, 1.1]], [0.1, -0.4]
    grid = sampling_grid(affine_displacements(matrix, shift, points), (20, 14))
    theta = torch.tensor([[[0.8, -0.3, 0.1], [0.2, 1.1, -0.4]]])
    expected = torch.nn.functional.affine_grid(theta, [1, 3, 20, 14], align_corners=False)
    torch.testing.assert_close(grid, expected, rtol=0, atol=1e-4)  # a thousandth of a pixel


def test_equals_the_thin_plate_spline_of_scipy():
    displacements = torch.randn(3, 5, 5, 2, generator=torch.Generator().manual_seed(0))
    grid = sampling_grid(displacements, (12, 9))
    for item, found in zip(displacements, grid, strict=True):
        spline = RBFInterpolator(
            control_points(5).double(), item.reshape(25, 2).double(), kernel="thin_plate_spline", degree=1
        )
        expected = pixel_centres((12, 9)) + torch.from_numpy(spline(pixel_centres((12, 9)).double())).float()
        torch.testing.assert_close(found.reshape(-1, 2), expected, rtol=0, atol=1e-4)


def test_control_points_go_exactly_where_they_are_sent():
    control = control_points(4)
    torch.testing.assert_close(spline_weights(control, control), torch.eye(16), rtol=0, atol=1e-5)


def test_a_shift_by_pixels_moves_the_picture_and_repeats_its_border():
    reference = pictures(size=(8, 6))
    right = torch.tensor([2 / 6 * 2, 0.0]).expand(2, 5, 5, 2)  # two of six columns; the picture is 2 wide
    found = warp(reference, right)
    expected = torch.cat([reference[..., 2:], reference[..., -1:].expand(-1, -1, -1, 2)], dim=3)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_the_spline_keeps_its_precision_under_autocast():
    displacements = torch.randn(1, 5, 5, 2, generator=torch.Generator().manual_seed(0)) / 10
    reference = pictures(batch=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = warp(reference, displacements)
    assert torch.equal(found, warp(reference, displacements))


def test_one_panel_by_hand():
    target, warped = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), -0.25)
    repaint = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    made = one_panel(target, warped, repaint)
    assert torch.equal(made.pictures, target)
    assert torch.equal(made.guidance[0, 0], torch.tensor([[-0.25, 0.5], [0.5, 0.5]]))
    assert torch.equal(made.known, 1 - repaint)

    unknown = one_panel(None, warped, full_repaint(warped))
    assert unknown.pictures is None
    assert torch.equal(unknown.guidance, warped)
    assert not unknown.known.any()
    latents = torch.zeros(1, 4, 1, 1)
    assert torch.equal(unet_input(latents, latents, unknown.known)[:, -1:], torch.full((1, 1, 1, 1), -1.0))


def test_the_loss_sees_the_repainted_region_alone():
    target, repaint = pictures(), box_repaint([(3, 4, 9, 8), (0, 0, 6, 2)], (32, 24))
    outside = target + 0.75 * (1 - repaint)
    assert warp_loss(outside, target, repaint) == 0
    torch.testing.assert_close(warp_loss(target - 0.5 * repaint, target, repaint), torch.tensor(0.5))
    assert warp_loss(outside, target, torch.zeros_like(repaint)) == 0  # and not a division by zero


def regressor(**options):
    torch.manual_seed(0)
    return WarpRegressor(points=3, channels=(8, 16), hidden_size=32, **options)


def test_the_regressor_starts_at_the_identity_and_every_part_of_it_learns():
    model, target, reference = regressor(), pictures(), pictures(seed=1)
    repaint = box_repaint([(4, 4, 20, 28)] * 2, (32, 24))
    arguments = known_part(target, repaint), repaint, reference
    assert torch.equal(model(*arguments), torch.zeros(2, 3, 3, 2))

    warp_loss(warp(reference, model(*arguments)), target, repaint).backward()
    assert model.displacements.weight.grad.abs().max() > 0
    torch.nn.init.normal_(model.displacements.weight, std=0.02)
    warp_loss(warp(reference, model(*arguments)), target, repaint).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def test_the_regressor_learns_a_shift():
    yy, xx = torch.meshgrid(torch.linspace(-3, 3, 32), torch.linspace(-3, 3, 24), indexing="ij")
    blob = torch.exp(-(xx.square() + yy.square()))
    reference = torch.stack([blob, blob.roll(1, 0), -blob])[None]
    target = warp(reference, torch.tensor([0.3, -0.2]).expand(1, 3, 3, 2))
    repaint, model = full_repaint(target), regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        warped = warp(reference, model(known_part(target, repaint), repaint, reference))
        losses.append(warp_loss(warped, target, repaint))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.15 * losses[0]


@torch.no_grad()
def test_the_regressor_takes_any_size_and_survives_saving(tmp_path):
    model = regressor()
    torch.nn.init.normal_(model.displacements.weight)
    model.save_pretrained(tmp_path)
    again = WarpRegressor.from_pretrained(tmp_path)
    for size in ((32, 24), (50, 37)):
        arguments = pictures(size=size), torch.ones(2, 1, *size), pictures(size=size, seed=1)
        found = again(*arguments)
        assert found.shape == (2, 3, 3, 2)
        assert torch.equal(found, model(*arguments))
        alone = torch.cat([model(*(part[row : row + 1] for part in arguments)) for row in range(2)])
        torch.testing.assert_close(found, alone)
