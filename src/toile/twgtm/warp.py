"""Warping instead of a second panel: the reference is bent onto the target's place (Variant 2 of Table 4).

There is one panel. What is to be generated in it is filled with the warped reference, so that the U-Net has
less to find and more to repair. The paper only names the variant; how it is done is ours.

Legend: `B` batch, `H W` pixels, `g` control points along each side and `K` in all, `P` places.
"""

from collections.abc import Sequence

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from toile.twgtm.panels import Panels, known_part, known_region

POOLED = 6
"""Rows and columns to which the regressor's features are brought, whatever the size of the pictures."""


def control_points(count: int) -> Float[Tensor, "K 2"]:
    """Spread `count` × `count` points (x, y) evenly over a picture, whose corners are (−1, −1) and (1, 1)."""
    steps = torch.linspace(-1, 1, count)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def pixel_centres(size: tuple[int, int]) -> Float[Tensor, "P 2"]:
    """Say where the middle (x, y) of each pixel lies, in the coordinates of `grid_sample`, row by row."""
    rows, columns = ((2 * torch.arange(count) + 1) / count - 1 for count in size)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def spline_weights(places: Float[Tensor, "P 2"], points: Float[Tensor, "K 2"]) -> Float[Tensor, "P K"]:
    """Say how much each control point's displacement counts at each place of a thin-plate spline.

    Source: Bookstein 1989, "Principal warps": f(p) = a·[1, p] + Σ w_i U(|p − c_i|), U(r) = r² log r², with
    f(c_i) given, Σ w_i = 0 and Σ w_i c_i = 0. It is linear in what is given, and this is the matrix.
    """
    count = len(points)
    corner = points.new_zeros(3, 3)
    system = torch.cat(
        [
            _spline_terms(points, points),  # (K K+3)
            torch.cat([_affine_terms(points).T, corner], dim=1),  # (3 K+3)
        ]
    )
    given = torch.eye(count + 3, count).to(points)  # (K+3 K)
    coefficients: Tensor = torch.linalg.solve(system, given)  # (K+3 K)
    return _spline_terms(places, points) @ coefficients


def sampling_grid(displacements: Float[Tensor, "B g g 2"], size: tuple[int, int]) -> Float[Tensor, "B H W 2"]:
    """Bend a picture's grid by a thin-plate spline, in float32.

    Args:
        displacements: (x, y) from each control point of the target to where it reads the reference, in halves
            of a picture's width and height; all zeros change nothing.
        size: (height, width) of the target.

    Returns:
        Where each pixel of the target reads the reference, as `grid_sample` wants it.
    """
    device = displacements.device
    with torch.autocast(device.type, enabled=False):
        places = pixel_centres(size).to(device)  # (H·W 2)
        weights = spline_weights(places, control_points(displacements.shape[1]).to(device))  # (H·W g·g)
        grid = places + weights @ displacements.float().flatten(1, 2)  # (B H·W 2)
    return rearrange(grid, "b (h w) xy -> b h w xy", h=size[0])


def warp(
    reference: Float[Tensor, "B 3 H W"], displacements: Float[Tensor, "B g g 2"]
) -> Float[Tensor, "B 3 H W"]:
    """Bend a reference onto the target's place, in float32; beyond its border it goes on as at the border."""
    grid = sampling_grid(displacements, (reference.shape[-2], reference.shape[-1]))  # (B H W 2)
    return functional.grid_sample(reference.float(), grid, padding_mode="border", align_corners=False)


class WarpRegressor(ModelMixin, ConfigMixin):
    """Guesses how the reference has to be bent to lie where the target has a hole.

    Args:
        points: g: control points along each side.
        channels: of the convolutions, each of which halves the picture.
        hidden_size: width of the layer between features and displacements.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self, points: int = 5, channels: Sequence[int] = (16, 32, 64, 64, 64), hidden_size: int = 256
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3 + 1 + 3
        for width in channels:
            layers += [nn.Conv2d(before, width, 3, stride=2, padding=1), nn.GroupNorm(8, width), nn.SiLU()]
            before = width
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Linear(before * POOLED**2, hidden_size)
        self.displacements = nn.Linear(hidden_size, 2 * points**2)
        nn.init.zeros_(self.displacements.weight)
        nn.init.zeros_(self.displacements.bias)

    def forward(
        self,
        known: Float[Tensor, "B 3 H W"],
        repaint: Float[Tensor, "B 1 H W"],
        reference: Float[Tensor, "B 3 H W"],
    ) -> Float[Tensor, "B g g 2"]:
        """Guess displacements for `warp`; before any training all are zero.

        Args:
            known: the target in [-1, 1], blank where it is to be generated (`known_part`).
            repaint: 1 where it is to be generated.
            reference: in [-1, 1].
        """
        features = self.features(torch.cat([known, repaint, reference], dim=1))  # (B C y x)
        pooled = functional.adaptive_avg_pool2d(features, POOLED).flatten(1)  # (B, C POOLED POOLED)
        moved: Tensor = self.displacements(functional.silu(self.hidden(pooled)))  # (B, g g 2)
        points = int(self.config["points"])
        return rearrange(moved, "b (y x xy) -> b y x xy", y=points, x=points)


def one_panel(
    target: Float[Tensor, "B 3 H W"] | None,
    warped: Float[Tensor, "B 3 H W"],
    repaint: Float[Tensor, "B 1 H W"],
) -> Panels:
    """Make h_i, h_f and h_m of one panel, for `unet_input`.

    Source: TWGTM, Table 4, Variant 2. Ours: h_i = x, h_f = x_a + M ⊗ the warped reference, h_m = 1 − M.

    Args:
        target: x, as for `panels`; None when taking off at inference.
        warped: the reference, bent by `warp`.
        repaint: M, as for `panels` or `inference_panels`.
    """
    return Panels(
        pictures=target,
        guidance=known_part(target, repaint) + repaint * warped.to(repaint),
        known=known_region(repaint),
    )


def warp_loss(
    warped: Float[Tensor, "B 3 H W"],
    target: Float[Tensor, "B 3 H W"],
    repaint: Float[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Compare the warped reference with what should stand in its place: what trains the regressor.

    Ours: the mean absolute difference over the repainted values of all items, in float32.
    """
    difference = (warped.float() - target.float()).abs() * repaint.float()  # (B 3 H W)
    return difference.sum() / (3 * repaint.float().sum()).clamp(min=1)


def _spline_terms(places: Float[Tensor, "P 2"], points: Float[Tensor, "K 2"]) -> Float[Tensor, "P K+3"]:
    """The terms of a thin-plate spline at each place: U(|p − c_i|), then 1, x, y."""
    squared = (places[:, None] - points).square().sum(-1)  # (P K)
    return torch.cat([torch.xlogy(squared, squared), _affine_terms(places)], dim=1)


def _affine_terms(places: Float[Tensor, "P 2"]) -> Float[Tensor, "P 3"]:
    return functional.pad(places, (1, 0), value=1)
