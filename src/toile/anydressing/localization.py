"""Instance-Level Garment Localization: where each garment is looked at, and where it should be.

Legend: `B` rows, `N` latent positions of a layer, `M` tokens of all garments of a row, `n` garments of a row,
`b` rows that own equally many, `C` channels of all heads, `heads` · `d` = `C`, `v` channels of values, `K`
kinds of garment, `H W` pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from einops import rearrange, reduce
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional

from toile.diffusion.attention import attention, merge_heads, split_heads
from toile.diffusion.correspondence import latent_grid
from toile.wardrobe_rows import Run

Localization = Literal["garments", "joint"]
"""What an attention map's softmax runs over: the garments' tokens (Eq. 7), or the layer's own as well."""
KERNEL_WIDTH = 8
"""Channels of a head come in multiples of this where attention is computed by a fused kernel."""


@dataclass(frozen=True, kw_only=True)
class AttentionMaps:
    """What the attention layers put their maps into while they compute; nothing of it stays in them."""

    mode: Localization = "garments"
    """What the softmax runs over."""
    layers: dict[str, list[tuple[Run, Tensor]]] = field(default_factory=dict)
    """By a layer's module path: rows of the batch that own garments, and A of Eq. 8, (rows, n, N)."""


@dataclass(frozen=True, kw_only=True)
class RowMaps:
    """The attention that the garments of some rows receive in one layer."""

    rows: Int[Tensor, "b"]
    """The rows of the batch."""
    kinds: Int[Tensor, "b n"]
    """The kind of each of their garments, as its place among all kinds."""
    maps: Float[Tensor, "b n N"]
    """A of Eq. 8: what each garment receives at each latent position."""


def mapped_attention(
    query: Float[Tensor, "B N C"],
    key: Float[Tensor, "B M C"],
    value: Float[Tensor, "B M C"],
    heads: int,
    tokens: Sequence[int],
    own_key: Float[Tensor, "B N C"] | None = None,
) -> tuple[Float[Tensor, "B N C"], Float[Tensor, "B n N"]]:
    """Attend to the garments as `attention` does, and say how much attention each garment receives.

    Source: AnyDressing, Eq. 6 to 8: Softmax(Q K'ᵀ/√d) V', and A as in `garment_attention`, whose arguments
    these are, and V' = `value`. Ours: one fused kernel gives both, since V' and the garments' marks are
    values under the same softmax; a second one runs only where `own_key` asks for another softmax.
    """
    if own_key is not None:
        mixed = attention(query, key, value, heads)  # (B N C)
        return mixed, garment_attention(query, key, heads, tokens, own_key)
    queries, keys, values = (split_heads(each, heads) for each in (query, key, value))
    marks = _marks(tokens, values).expand(*values.shape[:3], -1)  # (B heads M n)
    both = _attend(queries, keys, torch.cat([values, marks], dim=-1))  # (B heads N d+n)
    mixed, shares = both.split([values.shape[-1], len(tokens)], dim=-1)
    return merge_heads(mixed), _mean_of_heads(shares)


def garment_attention(
    query: Float[Tensor, "B N C"],
    key: Float[Tensor, "B M C"],
    heads: int,
    tokens: Sequence[int],
    own_key: Float[Tensor, "B N C"] | None = None,
) -> Float[Tensor, "B n N"]:
    """Say how much attention each garment receives at each latent position.

    Source: AnyDressing, Eq. 7 and 8: P = Softmax(Q K'ᵀ/√d) and A_k = Σ_j P_j over garment k's tokens j.
    Ours: the mean of the heads. A_k is what attention gives for values that are 1 at garment k's tokens and 0
    at all others, so that a fused kernel computes it and P is never held. Where the softmax runs over the
    garments alone, the maps of a row add up to 1 at each position, and a row's only garment has a map of ones
    that nothing changes; `own_key` (Ours) lets a position look at the picture instead.

    Args:
        query: Q of the denoiser.
        key: K' of a row's garments, one garment after another.
        heads: how many.
        tokens: how many tokens each garment has.
        own_key: K of the denoiser, for a softmax over [K ; K']; None is Eq. 7.
    """
    marks = _marks(tokens, query)  # (M n)
    if own_key is not None:
        key = torch.cat([own_key.to(key.dtype), key], dim=1)  # (B N+M C)
        marks = functional.pad(marks, (0, 0, own_key.shape[1], 0))  # (N+M n)
    queries, keys = split_heads(query, heads), split_heads(key, heads)
    return _mean_of_heads(_attend(queries, keys, marks.expand(*keys.shape[:2], -1, -1)))


def localization_loss(
    maps: Mapping[str, Sequence[RowMaps]], worn: UInt8[Tensor, "B K H W"], latents: tuple[int, int]
) -> Float[Tensor, ""]:
    """Compare where garments are looked at with where they are worn.

    Source: AnyDressing, Eq. 9, and the mean over layers of Eq. 15: L_loc / m. Ours: ‖·‖₂ is the mean squared
    error of all positions; M_k is resized to the layer's positions by the mean of its pixels; the mean over a
    row's garments, then over the rows that have any.

    Args:
        maps: by a layer's module path, A_k of the rows that own garments.
        worn: M_k, 255 where the garment of kind k is worn in the picture.
        latents: height and width of the latents.

    Returns:
        0 where no row owns a garment.

    Raises:
        ToileError: when a layer's positions are not those of a U-Net on such latents.
    """
    masks = worn.float() / 255  # (B K H W)
    resized: dict[int, Tensor] = {}
    losses = []
    for groups in maps.values():
        for positions in {group.maps.shape[-1] for group in groups} - resized.keys():
            grid = latent_grid(positions, latents)
            resized[positions] = functional.interpolate(masks, grid, mode="area").flatten(2)  # (B K N)
        if groups:
            rows = [_row_losses(group, resized[group.maps.shape[-1]]) for group in groups]
            losses.append(torch.cat(rows).mean())
    return torch.stack(losses).mean() if losses else masks.new_zeros(())


def _row_losses(group: RowMaps, masks: Float[Tensor, "B K N"]) -> Float[Tensor, "b"]:
    """The mean squared error of each row's maps."""
    expected = masks[group.rows[:, None], group.kinds]  # (b n N)
    return (group.maps.float() - expected).square().mean(dim=(1, 2))


def _marks(tokens: Sequence[int], like: Tensor) -> Float[Tensor, "M n"]:
    """Ones where a token (row) is of a garment (column)."""
    owners = torch.arange(len(tokens), device=like.device).repeat_interleave(
        torch.tensor(tokens, device=like.device), output_size=sum(tokens)
    )
    return functional.one_hot(owners, len(tokens)).to(like.dtype)


def _attend(
    query: Float[Tensor, "B heads N d"],
    key: Float[Tensor, "B heads M d"],
    value: Float[Tensor, "B heads M v"],
) -> Float[Tensor, "B heads N v"]:
    """Attend with values of another width: fused kernels want all three alike, so that zeros fill up."""
    width = max(query.shape[-1], value.shape[-1])
    width += -width % KERNEL_WIDTH
    scale = query.shape[-1] ** -0.5
    query, key, wide = (_widened(each, width) for each in (query, key, value))
    mixed = functional.scaled_dot_product_attention(query, key, wide, scale=scale)
    return mixed[..., : value.shape[-1]]


def _widened(tokens: Tensor, width: int) -> Tensor:
    missing = width - tokens.shape[-1]
    return functional.pad(tokens, (0, missing)) if missing else tokens


def _mean_of_heads(shares: Float[Tensor, "B heads N n"]) -> Float[Tensor, "B n N"]:
    return rearrange(reduce(shares.float(), "b heads p n -> b p n", "mean"), "b p n -> b n p")
