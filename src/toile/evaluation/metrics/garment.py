"""Per-image metrics of a garment inside its silhouette, as pure functions; in the pictures' own precision.

Pictures are RGB, (B, 3, H, W), in [0, 1]; silhouettes are (B, 1, H, W), 1 inside the true garment, 0 outside.
Each function returns one number for each picture.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d

from toile.errors import ToileError
from toile.evaluation.metrics.ciede2000 import ciede2000, lab_from_srgb

WHITE = 0.95
"""A pixel with every channel at least this bright counts as background."""
EDGE_SCALES = (1, 2, 4)
"""`edge_agreement` compares gradients at the full size and at a half and a quarter of it."""
EDGE_MARGIN = 2
"""Pixels at the silhouette's border that `edge_agreement` leaves out: the outline is not detail."""
EDGE_FLOOR = 1e-3
"""Gradients much below this (in brightness a pixel) count as none: about what rounding to 8 bits makes."""


def l1_within(
    predictions: Float[Tensor, "B 3 H W"],
    targets: Float[Tensor, "B 3 H W"],
    silhouettes: Float[Tensor, "B 1 H W"],
) -> Float[Tensor, " B"]:
    """Mean absolute error of RGB in [0, 1] inside the true silhouette, 0 to 1; lower is better.

    Raises:
        ToileError: when a silhouette is empty.
    """
    area = silhouettes.sum(dim=(1, 2, 3))  # (B,)
    _refuse_empty(area)
    error = (predictions - targets).abs() * silhouettes  # (B, 3, H, W)
    return error.sum(dim=(1, 2, 3)) / (3 * area)


def delta_e_2000(
    predictions: Float[Tensor, "B 3 H W"],
    targets: Float[Tensor, "B 3 H W"],
    silhouettes: Float[Tensor, "B 1 H W"],
) -> Float64[Tensor, " B"]:
    """Mean CIEDE2000 colour difference of sRGB inside the true silhouette, from 0; lower is better.

    Raises:
        ToileError: when a silhouette is empty.
    """
    inside = silhouettes[:, 0].double()  # (B, H, W)
    area = inside.sum(dim=(1, 2))  # (B,)
    _refuse_empty(area)
    difference = ciede2000(lab_from_srgb(targets), lab_from_srgb(predictions))  # (B, H, W)
    return (difference * inside).sum(dim=(1, 2)) / area


def edge_agreement(
    predictions: Float[Tensor, "B 3 H W"],
    targets: Float[Tensor, "B 3 H W"],
    silhouettes: Float[Tensor, "B 1 H W"],
) -> Float[Tensor, " B"]:
    """How well the gradients inside the garment agree, -1 to 1; higher is better.

    With p and t the Sobel gradients (both directions, each colour) of prediction and target inside the true
    silhouette without its border, all in one vector: (2 p·t + c) / (p·p + t·t + c), averaged over three
    scales. 1: equal gradients. 0: none (a flat fill, however true its colour and outline) or unrelated ones.
    Negative: reversed ones. Gradients a times as strong, as a blur makes them, give 2a / (1 + a²). c is so
    small that it matters only where the target has no edges at all: there a flat prediction scores 1.

    Ours: no metric of the papers looks at detail inside the garment alone.

    Raises:
        ToileError: when a silhouette is empty.
    """
    _refuse_empty(silhouettes.sum(dim=(1, 2, 3)))
    inside = _eroded((silhouettes >= 0.5).to(predictions.dtype), EDGE_MARGIN)  # (B, 1, H, W)
    scores, weights = [], []
    for scale in EDGE_SCALES:
        region = _eroded((avg_pool2d(inside, scale) >= 1 - 1e-6).to(predictions.dtype), 1)  # (B, 1, H/s, W/s)
        mine = sobel(avg_pool2d(predictions, scale)) * region  # (B, 6, H/s, W/s)
        true = sobel(avg_pool2d(targets, scale)) * region
        floor = 6 * EDGE_FLOOR**2 * region.sum(dim=(1, 2, 3))  # (B,)
        energy = (mine.square() + true.square()).sum(dim=(1, 2, 3)) + floor
        scores.append((2 * (mine * true).sum(dim=(1, 2, 3)) + floor) / energy.clamp(min=1e-12))
        weights.append((floor > 0).to(predictions.dtype))  # a thin garment has nothing left at a coarse scale
    weight = torch.stack(weights)  # (scales, B)
    return (torch.stack(scores) * weight).sum(0) / weight.sum(0).clamp(min=1)


def sobel(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B twoC H W"]:
    """Gradients of each channel along x and along y, in brightness a pixel; edge pixels repeat."""
    channels = pictures.shape[1]
    across = pictures.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    kernels = torch.stack([across, across.T]).repeat(channels, 1, 1)[:, None]  # (2C, 1, 3, 3)
    padded = torch.nn.functional.pad(pictures, (1, 1, 1, 1), mode="replicate")
    return conv2d(padded, kernels, groups=channels)


def silhouette_iou(
    predictions: Float[Tensor, "B 3 H W"], silhouettes: Float[Tensor, "B 1 H W"], *, white: float = WHITE
) -> Float[Tensor, " B"]:
    """Overlap of what a prediction does not leave white with the true silhouette, 0 to 1; higher is better.

    A garment as white as its background has no silhouette that can be seen, and scores low whoever draws it.
    """
    drawn = (predictions.amin(dim=1, keepdim=True) < white).flatten(1)  # (B, H·W)
    true = (silhouettes >= 0.5).flatten(1)
    union = (drawn | true).sum(1)
    return (drawn & true).sum(1) / union.clamp(min=1)


def _eroded(mask: Float[Tensor, "B 1 H W"], pixels: int) -> Float[Tensor, "B 1 H W"]:
    """A mask without its border of so many pixels; what lies at the picture's edge is border too."""
    outside = torch.nn.functional.pad(1 - mask, (pixels,) * 4, value=1.0)
    return 1 - max_pool2d(outside, 2 * pixels + 1, stride=1)


def _refuse_empty(area: Float[Tensor, " B"]) -> None:
    empty = (area <= 0).nonzero().flatten().tolist()
    if empty:
        raise ToileError(
            f"the true silhouettes of the pictures {empty} are empty; give each garment its silhouette"
        )
