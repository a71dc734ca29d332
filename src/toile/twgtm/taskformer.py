"""TaskFormer: learned queries look at the reference, each where its mask lets it, and draw one map each.

Legend: `B` batch, `K` task queries, `N` tokens of F_QF, `dim` the one width in here, `n` features attended
to, `y x` pixels of H_1, `y2 x2` of H_2 and `y3 x3` of H_3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from toile.diffusion.attention import merge_heads, split_heads
from toile.twgtm.positions import sine_positions

SMALLEST_MASK = 1e-6


@dataclass(frozen=True, kw_only=True)
class TaskMaps:
    """What TaskFormer draws."""

    maps: Float[Tensor, "B K y x"] | None
    """TFQ of the last unit: the silhouette in [0, 1], then the refinement maps; None when not asked for."""
    silhouette_logits: tuple[Float[Tensor, "B 1 y x"], ...]
    """The flat garment's silhouette by each unit, before the sigmoid."""


def inner_products(
    queries: Float[Tensor, "B K dim"], features: Float[Tensor, "B dim *n"]
) -> Float[Tensor, "B K *n"]:
    """Compare each query with each feature.

    Source: TWGTM, ⊙ in Eq. 8–11. Ours: divided by the square root of the width, as in attention, or else the
    sigmoids would start where they have no gradient.
    """
    flat = features.flatten(2)  # (B dim n)
    products = torch.bmm(queries, flat) / math.sqrt(queries.shape[-1])  # (B K n)
    return products.reshape(*products.shape[:2], *features.shape[2:])


def attention_bias(mask_logits: Float[Tensor, "B K n"], hard: bool) -> Float[Tensor, "B K n"]:
    """Turn masks M, given before their sigmoid, into what is added to the logits of attention.

    Source: TWGTM, Eq. 5–7. Ours: masks enter softly, as log max(M, 1e-6); a threshold would leave Eq. 8 and 9
    without any gradient, since no loss reads them.

    Args:
        mask_logits: M = σ(mask_logits).
        hard: Mask2Former's form instead: minus infinity where M < 0.5, and nothing for a query whose mask is
            empty.
    """
    if not hard:
        return functional.logsigmoid(mask_logits).clamp(min=math.log(SMALLEST_MASK))
    hidden = mask_logits < 0
    hidden = hidden & ~hidden.all(dim=-1, keepdim=True)
    return torch.zeros_like(mask_logits).masked_fill(hidden, -math.inf)


class BiasedAttention(nn.Module):
    """Attention with something added to its logits."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        self.to_out = nn.Linear(dim, dim)

    def forward(
        self,
        queries: Float[Tensor, "B K dim"],
        keys: Float[Tensor, "B n dim"],
        values: Float[Tensor, "B n dim"],
        bias: Float[Tensor, "B K n"] | None = None,
    ) -> Float[Tensor, "B K dim"]:
        """Attend; the bias is the same for every head."""
        tokens = (self.to_q(queries), self.to_k(keys), self.to_v(values))
        query, key, value = (split_heads(part, self.num_heads) for part in tokens)  # (B heads _ d)
        mask = None if bias is None else bias[:, None]  # (B 1 K n)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        output: Tensor = self.to_out(merge_heads(mixed))  # (B K dim)
        return output


class TaskBlock(nn.Module):
    """Queries read features through masks, then each other, then think.

    Source: TWGTM, Block of Eq. 5–7, "following Mask2Former": masked attention before self-attention, and the
    norm after each sum. Ours: no position of their own for the queries besides F_0; the feed-forward network
    is four times as wide as the queries.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.cross_attention = BiasedAttention(dim, num_heads)
        self.cross_norm = nn.LayerNorm(dim)
        self.self_attention = BiasedAttention(dim, num_heads)
        self.self_norm = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(nn.Linear(dim, 4 * dim), nn.ReLU(), nn.Linear(4 * dim, dim))
        self.feed_forward_norm = nn.LayerNorm(dim)

    def forward(
        self,
        queries: Float[Tensor, "B K dim"],
        keys: Float[Tensor, "B n dim"],
        values: Float[Tensor, "B n dim"],
        bias: Float[Tensor, "B K n"] | None,
    ) -> Float[Tensor, "B K dim"]:
        """Attend with `queries` to features, given with their positions as `keys` and without as `values`."""
        queries = self.cross_norm(queries + self.cross_attention(queries, keys, values, bias))
        queries = self.self_norm(queries + self.self_attention(queries, queries, queries))
        normed: Tensor = self.feed_forward_norm(queries + self.feed_forward(queries))
        return normed


class TaskUnit(nn.ModuleList):
    """Three blocks, one after the other: over F_QF, H_2 and H_3.

    Source: TWGTM, Eq. 5–7.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__(TaskBlock(dim, num_heads) for _ in range(3))

    def forward(
        self,
        queries: Float[Tensor, "B K dim"],
        features: Sequence[tuple[Float[Tensor, "B _ dim"], Float[Tensor, "B _ dim"]]],
        biases: Sequence[Float[Tensor, "B K _"]],
    ) -> Float[Tensor, "B K dim"]:
        """Compute F_i from F_{i-1}; `features` are keys and values, `biases` come from the masks M_{i-1}."""
        for block, (keys, values), bias in zip(self, features, biases, strict=True):
            queries = block(queries, keys, values, bias)  # (B K dim)
        return queries


class MaskSpace(nn.Module):
    """Where the queries may look next.

    Source: TWGTM, Eq. 8 and 9. Ours: MLP_mask has three layers, as in Mask2Former.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim)
        )

    def forward(
        self,
        queries: Float[Tensor, "B K dim"],
        semantic: Float[Tensor, "B N dim"],
        pixels: Sequence[Float[Tensor, "B dim _ _"]],
    ) -> list[Float[Tensor, "B K _"]]:
        """Compute M¹, and M² at each size of H_1, before the sigmoid.

        Ours: M² is resized to H_2 and H_3 before its sigmoid, which is the same as to resize H_1, once for
        all queries and units: an inner product is linear.

        Args:
            queries: F_i.
            semantic: F_QF.
            pixels: H_1, at each size wanted.
        """
        where = self.mlp(queries)  # (B K dim)
        semantic_mask = inner_products(self.linear(queries), semantic.mT)  # (B K N)
        return [semantic_mask, *(inner_products(where, size).flatten(2) for size in pixels)]


class TaskSpace(nn.Module):
    """What each query draws: an MLP of its own per query.

    Source: TWGTM, MLP_task of Eq. 10 and 11. Ours: two layers; the same MLPs after each unit.
    """

    def __init__(self, num_task_queries: int, dim: int) -> None:
        super().__init__()
        bound = dim**-0.5  # as in torch's linear layers
        self.weights = nn.ParameterList(
            torch.empty(num_task_queries, dim, dim).uniform_(-bound, bound) for _ in range(2)
        )
        self.biases = nn.ParameterList(torch.zeros(num_task_queries, dim) for _ in range(2))

    def forward(self, queries: Float[Tensor, "B k dim"]) -> Float[Tensor, "B k dim"]:
        """Apply MLP⁰ to the first query, MLP¹ to the second, and so on for as many as are given."""
        count = queries.shape[1]
        first, second = (
            (weight[:count], bias[:count]) for weight, bias in zip(self.weights, self.biases, strict=True)
        )
        hidden = functional.relu(_each(queries, *first))  # (B k dim)
        return _each(hidden, *second)  # (B k dim)


def _each(queries: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.einsum("b k i, k o i -> b k o", queries, weight) + bias


class TaskFormer(nn.Module):
    """Units of three blocks, over F_QF, H_2 and H_3.

    Source: TWGTM, Eq. 5–11.

    Args:
        dim: width of queries and features.
        num_task_queries: K; the first one draws the flat garment's silhouette.
        num_units: how often F_QF, H_2 and H_3 are read.
        num_heads: heads of attention.
        hard_masks: Mask2Former's masks instead of soft ones; the mask space is then not trained.
    """

    def __init__(
        self, dim: int, num_task_queries: int, num_units: int, num_heads: int, hard_masks: bool = False
    ) -> None:
        super().__init__()
        self.hard_masks = hard_masks
        self.queries = nn.Parameter(torch.randn(num_task_queries, dim))
        self.levels = nn.Parameter(torch.randn(2, dim, 1, 1))
        self.units = nn.ModuleList(TaskUnit(dim, num_heads) for _ in range(num_units))
        self.mask_space = MaskSpace(dim).requires_grad_(not hard_masks)
        self.task_space = TaskSpace(num_task_queries, dim)

    def forward(
        self,
        semantic: Float[Tensor, "B N dim"],
        half: Float[Tensor, "B dim y2 x2"],
        quarter: Float[Tensor, "B dim y3 x3"],
        pixels: Float[Tensor, "B dim y x"],
        refine: bool = True,
    ) -> TaskMaps:
        """Draw the task maps.

        Args:
            semantic: F_QF.
            half: H_2.
            quarter: H_3.
            pixels: H_1.
            refine: False leaves out everything but the silhouette.
        """
        features = [(semantic, semantic), *self._tokens(half, quarter)]
        sizes = [
            functional.interpolate(pixels, scale.shape[2:], mode="bilinear") for scale in (half, quarter)
        ]
        queries = self.queries.expand(len(pixels), -1, -1)  # F_0, (B K dim)
        silhouettes = []
        for unit in self.units:
            masks = self.mask_space(queries, semantic, sizes)  # M_{i-1}
            biases = [attention_bias(mask, self.hard_masks) for mask in masks]
            queries = unit(queries, features, biases)  # F_i, (B K dim)
            silhouettes.append(inner_products(self.task_space(queries[:, :1]), pixels))  # (B 1 y x)
        maps = self._maps(queries, pixels) if refine else None  # (B K y x)
        return TaskMaps(maps=maps, silhouette_logits=tuple(silhouettes))

    def _tokens(self, *scales: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each scale; both know which scale they are of, and only the keys where."""
        values = [scale + level for scale, level in zip(scales, self.levels, strict=True)]
        pairs = [(scale + sine_positions(scale), scale) for scale in values]
        return [tuple(rearrange(part, "b d y x -> b (y x) d") for part in pair) for pair in pairs]

    def _maps(self, queries: Tensor, pixels: Tensor) -> Tensor:
        drawn = inner_products(self.task_space(queries), pixels)  # (B K y x)
        return torch.cat([drawn[:, :1].sigmoid(), drawn[:, 1:]], dim=1)
