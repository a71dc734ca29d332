"""GarmentsNet: N garments of any kinds, encoded in one pass, each by its own kind's self-attention.

Legend: `G` garments, `C` latent channels, `h w` latent pixels, `N` tokens, `c` channels of a layer, `r` rank,
`n` garments of one outfit.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.utils.accelerate_utils import apply_forward_hook
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from toile.diffusion.attention import attention
from toile.diffusion.layers import attention_layers
from toile.diffusion.reference import encode_hidden_states, own_attention, unused_parameters
from toile.errors import ToileError

KIND_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
Adapters = Mapping[str, tuple[Tensor, Tensor]]
"""By a layer's module path, each garment's A (G, 3r, c) and B (G, 3, c, r), of q, k and v."""


class KindAdapter(nn.Module):
    """The LoRA matrices of one kind of garment, ΔŴ of Eq. 3: q, k and v of every layer.

    Ours: the rank, which the paper does not tell. A is drawn and B zero, so that a new kind starts as the
    shared U-Net; a scale beside them (LoRA's alpha over r) would say nothing that B does not.
    """

    def __init__(self, widths: Sequence[int], rank: int) -> None:
        super().__init__()
        self.down = nn.ParameterList(nn.Parameter(torch.randn(3, rank, c) / c**0.5) for c in widths)
        self.up = nn.ParameterList(nn.Parameter(torch.zeros(3, c, rank)) for c in widths)


class GarmentsNet(ModelMixin, ConfigMixin):
    """Stable Diffusion's U-Net without its text cross-attention, and one set of LoRA matrices a garment kind.

    Source: AnyDressing, Section 4.1, the Garment-Specific Feature Extractor. It runs once, at t = 0. Ours:
    what no feature depends on is cut off behind the last self-attention's norm, which so has no LoRA.

    Args:
        unet_config: configuration of the U-Net.
        kinds: names of the garment kinds; empty with `separate` False.
        ranks: rank of each kind's matrices.
        separate: False is "Base" of Table 3: no kinds, and the garments of an outfit side by side in one
            picture, as one reference net encodes them.
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        unet_config: dict[str, Any],
        kinds: Sequence[str] = ("upper", "lower"),
        ranks: Sequence[int] = (16, 16),
        separate: bool = True,
    ) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(**unet_config)
        self.paths = computing_order(self.unet)
        layers = attention_layers(self.unet, "attn1")
        self.widths = [layers[path].to_q.out_features for path in self.paths[:-1]]
        _cut_off(self.unet)
        self.adapters = nn.ModuleDict()
        for kind, rank in zip(kinds, ranks, strict=True):
            self._put(kind, rank)

    @classmethod
    def from_unet(
        cls,
        unet: UNet2DConditionModel,
        kinds: Sequence[str] = ("upper", "lower"),
        rank: int = 16,
        separate: bool = True,
    ) -> "GarmentsNet":
        """Start from a text-to-image U-Net, whose weights are copied."""
        kinds = kinds if separate else ()
        config = {name: value for name, value in unet.config.items() if not name.startswith("_")}
        net: GarmentsNet = cls(
            unet_config=config, kinds=list(kinds), ranks=[rank] * len(kinds), separate=separate
        )
        own = net.unet.state_dict()
        net.unet.load_state_dict({name: value for name, value in unet.state_dict().items() if name in own})
        net.to(unet.device).type(unet.dtype)
        return net

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of garment that it knows, in the order of their numbers."""
        return tuple(self.adapters)

    def add_kind(self, kind: str, rank: int = 16) -> None:
        """Add a kind of garment, which starts as the shared U-Net; what the others compute stays as it is.

        Raises:
            ToileError: when there is one of that name, or the name cannot be used.
        """
        self._put(kind, rank)
        self.adapters[kind].to(self.device).type(self.dtype)
        ranks = [*self.config["ranks"], rank]
        self.register_to_config(kinds=list(self.kinds), ranks=ranks)

    def _put(self, kind: str, rank: int) -> None:
        if kind in self.adapters:
            raise ToileError(f"there is a kind {kind!r} already; give the new one another name")
        if not KIND_NAME.fullmatch(kind) or hasattr(self.adapters, kind):
            raise ToileError(f"a garment kind cannot be called {kind!r}; write small letters, as in `hat`")
        self.adapters[kind] = KindAdapter(self.widths, rank)

    def indices(self, kinds: Sequence[str]) -> Int[Tensor, "G"]:
        """The number of each kind.

        Raises:
            ToileError: when one is not known.
        """
        known = self.kinds
        if self.config["separate"]:
            for kind in kinds:
                if kind not in known:
                    raise ToileError(f"garment kind {kind!r} is unknown; this model has {', '.join(known)}")
        numbers = [known.index(kind) if kind in known else 0 for kind in kinds]
        return torch.tensor(numbers, dtype=torch.long, device=self.device)

    def forward(
        self, latents: Float[Tensor, "G C h w"], kinds: Int[Tensor, "G"]
    ) -> dict[str, Float[Tensor, "G N c"]]:
        """Encode garments as F_i: what enters each self-attention layer, by the layer's module path.

        All garments of all rows of a batch go through in one pass (Eq. 4 and 5), each with its own kind's
        matrices.

        Args:
            latents: of the garments on white, multiplied by the VAE's scaling factor.
            kinds: the number of each garment's kind (`indices`).
        """
        adapters = self._gather(kinds)
        time = torch.zeros(len(latents), dtype=torch.long, device=latents.device)
        states: dict[str, Tensor] = encode_hidden_states(
            self.unet, latents, time, None, partial(adapted_attention, adapters)
        )
        return states

    def encode(
        self, latents: Float[Tensor, "G C h w"], kinds: Int[Tensor, "G"], outfits: Sequence[Sequence[int]]
    ) -> dict[str, Float[Tensor, "G N c"]]:
        """Encode the garments of several outfits as the model was trained to: each for itself, or together.

        Args:
            latents: of the garments, those of an outfit side by side, and outfits in order.
            kinds: the number of each garment's kind.
            outfits: which garments each has; empty ones are allowed.
        """
        if self.config["separate"]:
            states: dict[str, Tensor] = self(latents, kinds)
            return states
        sizes = [len(outfit) for outfit in outfits if outfit]
        alike = [
            (size, len(list(same))) for size, same in groupby(sizes)
        ]  # neighbours go through as one batch
        groups = latents.split([size * count for size, count in alike])
        parts = [
            self.encode_together(group.unflatten(0, (-1, size)))
            for group, (size, _) in zip(groups, alike, strict=True)
        ]
        return {path: torch.cat([part[path] for part in parts]) for path in parts[0]}

    @apply_forward_hook
    def encode_together(self, latents: Float[Tensor, "B n C h w"]) -> dict[str, Float[Tensor, "G N c"]]:
        """Encode outfits of n garments each as one picture, for Table 3's base: G = B · n, row by row.

        Attention does not ask where its tokens come from, so that what belongs to each garment's part of the
        picture can be given back as that garment's own.

        Raises:
            ToileError: when a level of the U-Net would cut between two garments.
        """
        count, (height, width) = latents.shape[1], latents.shape[-2:]
        least = 2 ** (len(self.unet.config["block_out_channels"]) - 1)
        if height % least or width % least:
            raise ToileError(
                f"garments of {height}×{width} latents cannot lie side by side; use multiples of {least}"
            )
        wide = rearrange(latents, "b n c h w -> b c h (n w)")
        time = torch.zeros(len(wide), dtype=torch.long, device=wide.device)
        states = encode_hidden_states(self.unet, wide, time, None)
        parts = {}
        for path, tokens in states.items():
            shrunk = round((height * width * count / tokens.shape[1]) ** 0.5)
            parts[path] = rearrange(tokens, "b (h n w) c -> (b n) (h w) c", n=count, h=height // shrunk)
        return parts

    def _gather(self, kinds: Int[Tensor, "G"]) -> Adapters:
        """Each garment's own matrices; those of a smaller rank are padded with zeros."""
        adapters = [adapter for adapter in self.adapters.values() if isinstance(adapter, KindAdapter)]
        if not adapters:
            return {}
        rank = max(adapter.down[0].shape[1] for adapter in adapters)
        gathered = {}
        for index, path in enumerate(self.paths[:-1]):
            down = torch.stack([_padded(adapter.down[index], rank, dim=1) for adapter in adapters])
            up = torch.stack([_padded(adapter.up[index], rank, dim=2) for adapter in adapters])
            gathered[path] = (down[kinds].flatten(1, 2), up[kinds])
        return gathered


def adapted_attention(
    adapters: Adapters, path: str, layer: Attention, hidden_states: Float[Tensor, "G N c"]
) -> Float[Tensor, "G N c"]:
    """Self-attention with each garment's own matrices, as two grouped products for q, k and v together.

    Source: AnyDressing, Eq. 3 and 4: Q_i = F_i (Ŵ_q + ΔŴ_q^i), likewise K_i and V_i.
    """
    if path not in adapters:
        return own_attention(path, layer, hidden_states)
    down, up = adapters[path]  # (G, 3r, c), (G, 3, c, r)
    low = hidden_states @ down.transpose(1, 2)  # (G, N, 3r)
    change = rearrange(low, "g n (t r) -> g t n r", t=3) @ up.transpose(2, 3)  # (G, 3, N, c)
    projections = (layer.to_q, layer.to_k, layer.to_v)
    query, key, value = (
        project(hidden_states) + change[:, index] for index, project in enumerate(projections)
    )
    output: Tensor = layer.to_out[0](attention(query, key, value, layer.heads))
    return output


def computing_order(unet: UNet2DConditionModel) -> list[str]:
    """Module paths of the self-attention layers in the order in which they are computed: down, middle, up."""
    order = ("down_blocks", "mid_block", "up_blocks")
    return sorted(attention_layers(unet, "attn1"), key=lambda path: order.index(path.split(".")[0]))


def _cut_off(unet: UNet2DConditionModel) -> None:
    """Take out what no feature depends on: text cross-attention, and what comes after the last norm."""
    unused = {id(parameter) for parameter in unused_parameters(unet)}
    for block in unet.modules():
        if isinstance(block, BasicTransformerBlock):
            block.attn2 = block.norm2 = None
    for parent in list(unet.modules()):
        for name, child in list(parent.named_children()):
            own = list(child.parameters())
            if own and all(id(parameter) in unused for parameter in own) and not isinstance(child, Attention):
                setattr(parent, name, None)


def _padded(matrices: Tensor, rank: int, dim: int) -> Tensor:
    missing = rank - matrices.shape[dim]
    if not missing:
        return matrices
    shape = [missing if axis == dim else size for axis, size in enumerate(matrices.shape)]
    return torch.cat([matrices, matrices.new_zeros(shape)], dim=dim)
