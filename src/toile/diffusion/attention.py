"""Attention as pure functions: the two ways in which a layer looks at a reference besides itself.

Legend: `B` batch, `N` own tokens, `R` reference tokens, `C` channels of all heads, `heads` · `d` = `C`.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from toile.wardrobe import LinearMap


def split_heads(tokens: Float[Tensor, "B N C"], heads: int) -> Float[Tensor, "B heads N d"]:
    """Give each head its own channels."""
    return rearrange(tokens, "b n (heads d) -> b heads n d", heads=heads)


def merge_heads(tokens: Float[Tensor, "B heads N d"]) -> Float[Tensor, "B N C"]:
    """Put the heads' channels side by side again."""
    return rearrange(tokens, "b heads n d -> b n (heads d)")


def attention(
    query: Float[Tensor, "B N C"], key: Float[Tensor, "B M C"], value: Float[Tensor, "B M C"], heads: int
) -> Float[Tensor, "B N C"]:
    """Attend with every query to every key, head by head.

    Source: Vaswani et al. 2017, Eq. 1: softmax(Q Kᵀ / √d) V, which IGR calls Attn(Q, K, V).
    """
    queries, keys, values = (split_heads(tokens, heads) for tokens in (query, key, value))
    mixed = functional.scaled_dot_product_attention(queries, keys, values)  # (B heads N d)
    return merge_heads(mixed)  # (B N C)


def joint_attention(
    query: Float[Tensor, "B N C"],
    key: Float[Tensor, "B N C"],
    value: Float[Tensor, "B N C"],
    reference_key: Float[Tensor, "B R C"],
    reference_value: Float[Tensor, "B R C"],
    heads: int,
) -> Float[Tensor, "B N C"]:
    """Attend to the reference and to oneself under one softmax, with one's own queries alone.

    Source: IGR, Eq. 4: Attn(Q_fcon, K_fcon, V_fcon) over F_con = [F_hl ; F_g], with the latter half of
    the result kept. The rows of a softmax do not know each other, so what is thrown away need not be asked:
    Q_fcon is `query` (of F_g), K_fcon is [reference_key ; key], V_fcon is [reference_value ; value].
    """
    keys = torch.cat([reference_key, key], dim=1)  # (B R+N C)
    values = torch.cat([reference_value, value], dim=1)  # (B R+N C)
    return attention(query, keys, values, heads)  # (B N C)


def added_attention(
    query: Float[Tensor, "B N C"],
    key: Float[Tensor, "B M C"],
    value: Float[Tensor, "B M C"],
    added_key: Float[Tensor, "B R C"],
    added_value: Float[Tensor, "B R C"],
    heads: int,
    scale: Float[Tensor, ""] | None = None,
    output: LinearMap | None = None,
) -> Float[Tensor, "B N C"]:
    """Attend as usual, attend to the reference under a softmax of its own, and add the two.

    Source: IGR, Eq. 3: Attn(Q, K_c, V_c) + Attn(Q, K_ll, V_ll), K_ll = `added_key`, V_ll = `added_value`;
    `scale` is a weight of the second term, and None is the paper's weight of one. TWGTM, Eq. 13: SelfAttn +
    ZLL(CrossAttn(Q, K', V')), K' = `added_key`, V' = `added_value`, ZLL = `output`.
    """
    added = attention(query, added_key, added_value, heads)  # (B N C)
    if output is not None:
        added = functional.linear(added, output.weight.to(added.dtype), output.bias.to(added.dtype))
    if scale is not None:
        added = added * scale.to(added.dtype)
    return attention(query, key, value, heads) + added
