"""Correspondence: self-attention taught, in training, where each place of a picture lies in its reference.

Ours. A small model trained from scratch learns late that it may look things up in its reference, and until
then draws the mean of all garments; pairs whose exact warp is known (Paper Dolls) can show it where to look.
Nothing of it is left in the model, nor asked for in use; pairs without a known warp leave it out.

Legend: `B` rows, `h w` latent pixels, `N` positions of a layer, `M` tokens that it attends to, those of the
reference (or of the canvas, if the reference lies on it) before others, `C` channels of all heads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from toile.diffusion.attention import split_heads
from toile.errors import ToileError

LEAST = 1e-4
"""What is added to attention before its logarithm is taken: no gradient grows beyond its inverse."""


@dataclass(frozen=True, kw_only=True)
class Correspondence:
    """Where the rows of a batch should look, and what the layers say of it while they compute."""

    points: Float[Tensor, "B h w 2"]
    """For each latent pixel x, y of the same point in the reference, in [0, 1] of its width and height; NaN
    where there is none, or none to be seen."""
    beside: bool = False
    """Whether the reference lies beside the picture on one canvas, which `points` then speaks of; otherwise
    it is in the wardrobe, at the picture's own size."""
    losses: dict[str, Float[Tensor, "_"]] = field(default_factory=dict)
    """By a layer's module path, how far each known position is from its point (`distances_to_points`)."""

    def observe(self, name: str, groups: Sequence[tuple[slice, Tensor, Tensor]], heads: int) -> None:
        """Take notice of a layer's attention.

        Args:
            name: the layer's module path; what was noticed of it before is forgotten.
            groups: rows of the batch, with their queries (b N C) and keys (b M C), the reference's first.
            heads: how many.
        """
        self.losses[name] = torch.cat(
            [distances_to_points(query, key, self.points[rows], heads) for rows, query, key in groups]
        )

    def loss(self) -> Float[Tensor, ""]:
        """The mean over a layer's known positions, then over the layers; 0 where nothing is known."""
        means = [losses.sum() / max(len(losses), 1) for losses in self.losses.values()]
        return torch.stack(means).mean() if means else self.points.new_zeros(())


def distances_to_points(
    query: Float[Tensor, "B N C"],
    key: Float[Tensor, "B M C"],
    points: Float[Tensor, "B h w 2"],
    heads: int,
) -> Float[Tensor, "known"]:
    """Say how far each position with a known point is from attending as an interpolation there would.

    The Kullback-Leibler divergence of attention, the mean of its heads, from the weights with which bilinear
    interpolation takes the four tokens around the point; 0 is to attend just so.

    Returns:
        Row by row, each row's positions in their order.
    """
    height, width = latent_grid(query.shape[1], (points.shape[1], points.shape[2]))
    nearest = functional.interpolate(points.movedim(-1, 1), (height, width), mode="nearest-exact")
    place = nearest.flatten(2).transpose(1, 2)  # (B N 2)
    known = ~place.isnan().any(dim=-1)  # (B N)
    # Only positions with a point are asked, which are few: each row's, then others to make rows alike.
    asked = known.byte().argsort(dim=1, descending=True, stable=True)[:, : int(known.sum(dim=1).max())]
    place = place.gather(1, asked[..., None].expand(-1, -1, 2)).nan_to_num(0.5)  # (B n 2)
    wanted = _shares(place[..., 1], height)[..., :, None] * _shares(place[..., 0], width)[..., None, :]
    wanted = wanted.flatten(2)  # (B n h·w)
    queries = split_heads(query.gather(1, asked[..., None].expand(-1, -1, query.shape[2])), heads)
    keys = split_heads(key, heads)
    logits = (queries @ keys.transpose(-1, -2)).float() / queries.shape[-1] ** 0.5  # (B heads n M)
    probability = logits.softmax(dim=-1)[..., : wanted.shape[-1]].mean(dim=1)  # (B n h·w)
    divergence = (torch.xlogy(wanted, wanted) - wanted * (probability + LEAST).log()).sum(dim=-1)  # (B n)
    found: Tensor = divergence[known.gather(1, asked)]  # (known)
    return found


def latent_grid(positions: int, latents: tuple[int, int]) -> tuple[int, int]:
    """Find the height and width of a layer that has so many positions.

    Each level of Stable Diffusion's U-Net halves both sides, and an odd side is rounded up.

    Raises:
        ToileError: when no level has so many.
    """
    height, width = latents
    while height * width > max(positions, 1):
        height, width = (height + 1) // 2, (width + 1) // 2
    if height * width != positions:
        raise ToileError(
            f"no level of a U-Net on latents of {latents[0]}×{latents[1]} has {positions} positions; "
            "give the size of the latents that the maps were made on"
        )
    return height, width


def _shares(places: Float[Tensor, "B N"], side: int) -> Float[Tensor, "B N side"]:
    """How much each of `side` cells along an axis counts for places in [0, 1]."""
    centres = torch.arange(side, device=places.device)
    offset = (places * side - 0.5).clamp(0, side - 1)[..., None] - centres  # (B N side)
    return (1 - offset.abs()).clamp(min=0)
