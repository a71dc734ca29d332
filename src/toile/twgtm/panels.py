"""Two panels side by side: what TWGTM's U-Net sees, in training and at inference, in both directions.

The left panel is the one that is generated, the right one is the reference: [person | garment] when trying
on, [garment | person] when taking off. The project's masks say 1 = repaint; the paper's h_m says 1 = known.
They meet in `known_region`, and nowhere else.

Legend: `B` batch, `c` any channels, `C` latent channels, `H W` pixels of one panel, `H WW` pixels of both,
`h ww` latent pixels of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from diffusers import UNet2DConditionModel
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from toile.diffusion.input_channels import with_input_channels
from toile.errors import ToileError

Task = Literal["try_on", "take_off"]
"""`try_on`: a garment onto a person; `take_off`: the flat garment from a person."""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside."""

LARGEST_RADIUS = 1 / 16
"""How far a silhouette is eroded or dilated at most, in heights of the picture (Ours)."""


@dataclass(frozen=True, kw_only=True)
class Panels:
    """The three pictures that make up the U-Net's input I_t."""

    pictures: Float[Tensor, "B 3 H WW"] | None
    """h_i in [-1, 1], what the model learns to make; None where only the model knows it."""
    guidance: Float[Tensor, "B 3 H WW"]
    """h_f in [-1, 1]: what is known of h_i; zero, mid-grey, where it is to be generated."""
    known: Float[Tensor, "B 1 H WW"]
    """h_m: 1 is known, 0 is to be generated."""


def side_by_side(
    left: Float[Tensor, "B c H W"], right: Float[Tensor, "B c H W"]
) -> Float[Tensor, "B c H 2*W"]:
    """Put two panels next to each other."""
    return rearrange([left, right], "side b c h w -> b c h (side w)")


def left_panel(both: Float[Tensor, "B c H WW"]) -> Float[Tensor, "B c H WW//2"]:
    """Take the left panel: what was generated."""
    return rearrange(both, "b c h (side w) -> side b c h w", side=2)[0]


def right_panel(both: Float[Tensor, "B c H WW"]) -> Float[Tensor, "B c H WW//2"]:
    """Take the right panel: the reference."""
    return rearrange(both, "b c h (side w) -> side b c h w", side=2)[1]


def known_region(repaint: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Turn the project's mask (1 = repaint) into the paper's (1 = known)."""
    return 1 - repaint


def known_part(
    target: Float[Tensor, "B 3 H W"] | None, repaint: Float[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 3 H W"]:
    """Blank what is to be generated.

    Source: TWGTM, "Processing in Latent Space": x_a = (1 − M) ⊗ x, with M = `repaint`, x = `target`.
    Ours: without a target the known part is the white ground that flat garments lie on: that is what training
    shows around a rectangle. Where all is to be generated it does not count.
    """
    known = known_region(repaint)
    return known.expand(-1, 3, -1, -1) if target is None else known * target


def panels(
    target: Float[Tensor, "B 3 H W"],
    reference: Float[Tensor, "B 3 H W"],
    repaint: Float[Tensor, "B 1 H W"],
) -> Panels:
    """Make h_i, h_f and h_m for training.

    Source: TWGTM, "Processing in Latent Space": trying on, h_i = [x, c], h_f = [x_a, c], h_m = [1 − M, 1],
    with x the person, c the garment, M = `repaint`; taking off, "this process reverses the spatial order".

    Args:
        target: in [-1, 1]: the person when trying on, the flat garment when taking off.
        reference: in [-1, 1]: the flat garment when trying on, the person when taking off.
        repaint: the agnostic mask when trying on; `stage1_repaint` or `rectangle_repaint` when taking off.
    """
    given = inference_panels(reference, repaint, target)
    return Panels(pictures=side_by_side(target, reference), guidance=given.guidance, known=given.known)


def inference_panels(
    reference: Float[Tensor, "B 3 H W"],
    repaint: Float[Tensor, "B 1 H W"],
    target: Float[Tensor, "B 3 H W"] | None = None,
) -> Panels:
    """Make h_f and h_m where h_i is yet to be generated.

    Args:
        reference: as for `panels`.
        repaint: the agnostic mask when trying on; `full_repaint` or `box_repaint` when taking off.
        target: the person when trying on; None when taking off (see `known_part`).
    """
    known = known_region(repaint)
    return Panels(
        pictures=None,
        guidance=side_by_side(known_part(target, repaint), reference),
        known=side_by_side(known, torch.ones_like(known)),
    )


def stage1_repaint(silhouette: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 H W"]:
    """Say what is generated when taking off in stage 1: exactly the flat garment's silhouette.

    Source: TWGTM, "Training Strategy". Ours: cut at one half, so that every pixel is either known or not.
    """
    return (silhouette > 0.5).to(silhouette)


def rectangle_repaint(
    silhouette: Float[Tensor, "B 1 H W"], generator: torch.Generator
) -> Float[Tensor, "B 1 H W"]:
    """Say what is generated when taking off in stage 2: a rectangle that tells where the garment lies.

    Source: TWGTM, "Training Strategy": erosion and dilation, then "square inpainting masks". Ours: for each
    item one of the two, equally often, by a square whose radius is uniform up to `LARGEST_RADIUS` of the
    height; then the bounding box. An erosion that leaves nothing is left out.

    Args:
        silhouette: in [0, 1], 1 is the flat garment.
        generator: gives the operations and the radii.

    Raises:
        ToileError: when a silhouette is empty.
    """
    draws = torch.rand(len(silhouette), 2, generator=generator, device=generator.device).tolist()
    largest = round(silhouette.shape[-2] * LARGEST_RADIUS)
    boxes = []
    for item, (operation, share) in zip(stage1_repaint(silhouette), draws, strict=True):
        radius = int(share * (largest + 1))
        changed = _dilate(item, radius) if operation < 0.5 else 1 - _dilate(1 - item, radius)
        boxes.append(bounding_box(changed if changed.any() else item))
    return box_repaint(boxes, (silhouette.shape[-2], silhouette.shape[-1])).to(silhouette)


def full_repaint(like: Float[Tensor, "B c H W"]) -> Float[Tensor, "B 1 H W"]:
    """Say that all is generated: taking off at inference, when no box is given."""
    return torch.ones_like(like[:, :1])


def box_repaint(boxes: Sequence[Box], size: tuple[int, int]) -> Float[Tensor, "B 1 H W"]:
    """Say that one rectangle of each item is generated, the paper's "Mask2BBox".

    Args:
        boxes: one of each item, in pixels of the panel.
        size: (height, width) of the panel.

    Raises:
        ToileError: when a box is empty or leaves the panel.
    """
    height, width = size
    repaint = torch.zeros(len(boxes), 1, height, width)
    for item, (x0, y0, x1, y1) in zip(repaint, boxes, strict=True):
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise ToileError(
                f"box ({x0}, {y0}, {x1}, {y1}) does not fit a picture of {width} columns and {height} rows; "
                f"write (x0, y0, x1, y1) with 0 <= x0 < x1 <= {width} and 0 <= y0 < y1 <= {height}"
            )
        item[:, y0:y1, x0:x1] = 1
    return repaint


def bounding_box(mask: Float[Tensor, "1 H W"]) -> Box:
    """Find the smallest box around what a mask marks with more than one half.

    Raises:
        ToileError: when it marks nothing.
    """
    inside = mask[0] > 0.5
    if not inside.any():
        raise ToileError(
            f"the mask marks no pixel: its greatest value is {mask.max().item():.3g}; 1 marks the garment"
        )
    rows, columns = inside.any(dim=1).nonzero(), inside.any(dim=0).nonzero()
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def unet_input(
    noisy: Float[Tensor, "B C h ww"],
    guidance_latents: Float[Tensor, "B C h ww"],
    known: Float[Tensor, "B 1 H WW"],
) -> Float[Tensor, "B 2*C+1 h ww"]:
    """Stack I_t: the noised latents, the latents of h_f, and the mask.

    Source: TWGTM, "Processing in Latent Space": I_t = [Noise_t(E(h_i)), E(h_f), resize(h_m)]. Ours: the mask
    channel carries h_m − 1, so that the zeros which convolutions see beyond the border mean *known*, as in
    published inpainting models; a latent pixel's h_m is the mean of its pixels.

    Args:
        noisy: latents of h_i with noise added.
        guidance_latents: latents of h_f.
        known: h_m, in pixels or resized to the latents already.
    """
    resized = functional.interpolate(known.to(noisy), noisy.shape[-2:], mode="area")  # (B 1 h ww)
    return torch.cat([noisy, guidance_latents, resized - 1], dim=1)  # (B 2C+1 h ww)


def from_inpainting(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Copy a published inpainting U-Net, so that it reads `unet_input`.

    Ours: Stable Diffusion 1.5-inpainting reads [latent, mask, latent of the known part], and in its mask 1 is
    repaint. Its channels are put into our order, and its mask's weights are negated, since 1 − h_m is
    −(h_m − 1); the bias stays.

    Raises:
        ToileError: when the U-Net does not read two latents and a mask.
    """
    latent, present = int(unet.config["out_channels"]), int(unet.config["in_channels"])
    if present != 2 * latent + 1:
        raise ToileError(
            f"the U-Net reads {present} channels; an inpainting U-Net with {latent} latent channels reads "
            f"{2 * latent + 1}; take one, or start from a text-to-image U-Net"
        )
    copy = with_input_channels(unet, present)
    noisy, mask, masked = copy.conv_in.weight.detach().split([latent, 1, latent], dim=1)
    copy.conv_in.weight.data = torch.cat([noisy, masked, -mask], dim=1)  # (C_out 2C+1 3 3)
    return copy


def from_text_to_image(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Copy a text-to-image U-Net, so that it reads `unet_input`; it ignores h_f and h_m until it is trained.

    Raises:
        ToileError: when the U-Net reads anything besides one latent.
    """
    latent, present = int(unet.config["out_channels"]), int(unet.config["in_channels"])
    if present != latent:
        raise ToileError(
            f"the U-Net reads {present} channels; a text-to-image U-Net with {latent} latent channels reads "
            f"{latent}; take one, or start from an inpainting U-Net"
        )
    return with_input_channels(unet, 2 * latent + 1)


def _dilate(mask: Float[Tensor, "1 H W"], radius: int) -> Float[Tensor, "1 H W"]:
    """Let a square grow around each pixel, first its width, then its height; beyond the border is nothing."""
    side = 2 * radius + 1
    rows = functional.max_pool2d(mask[None], (1, side), stride=1, padding=(0, radius))
    return functional.max_pool2d(rows, (side, 1), stride=1, padding=(radius, 0))[0]
