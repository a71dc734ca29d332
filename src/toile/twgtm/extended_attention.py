"""Extended attention: the keys, the values and the zero linear layers with which a U-Net reads F_SRM.

Legend: `B` batch, `N` tokens of a level, `C` channels of a level, `c` channels of an attention layer.
"""

from collections.abc import Sequence
from typing import Literal

from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float
from torch import Tensor, nn

from toile.diffusion.layers import Kind, attention_layers
from toile.wardrobe import LinearMap, WardrobeLayer

Fusion = Literal["extended", "decoupled", "concatenated", "none"]
"""How F_SRM reaches the U-Net.

Paper: `extended` (Eq. 13); in Table 4 `decoupled` (Variant 7, as IP-Adapter does), `concatenated` (Variant 6,
in front of the tokens that enter self-attention) and `none` (Variant 1)."""


class LayerReading(nn.Module):
    """What one attention layer makes of the level that it reads: keys, values, and the zero linear layer."""

    def __init__(self, level_channels: int, channels: int, zero_linear: bool) -> None:
        super().__init__()
        self.to_k = nn.Linear(level_channels, channels, bias=False)
        self.to_v = nn.Linear(level_channels, channels, bias=False)
        self.zero = nn.Linear(channels, channels) if zero_linear else None
        if self.zero is not None:
            nn.init.zeros_(self.zero.weight)
            nn.init.zeros_(self.zero.bias)

    def forward(self, tokens: Float[Tensor, "B N C"]) -> WardrobeLayer:
        """Project a level to K' and V', with ZLL's weights beside them."""
        output = None if self.zero is None else LinearMap(weight=self.zero.weight, bias=self.zero.bias)
        return WardrobeLayer(key=self.to_k(tokens), value=self.to_v(tokens), mode="added", output=output)


class ExtendedAttention(ModelMixin, ConfigMixin):
    """All weights of extended attention, one set for each attention layer of a U-Net.

    Source: TWGTM, Eq. 13: SelfAttn(Q, K, V) + ZLL(CrossAttn(Q, K', V')), K' and V' from F_SRM.

    Args:
        names: module paths of the layers, in the order of the weights.
        levels: the level that each reads; level 0 has the U-Net's highest resolution.
        channels: width of each layer.
        level_channels: width of each level.
        zero_linear: whether there is a ZLL; Variant 7 adds its cross-attention as it is.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        names: Sequence[str],
        levels: Sequence[int],
        channels: Sequence[int],
        level_channels: Sequence[int],
        zero_linear: bool = True,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            LayerReading(level_channels[level], width, zero_linear)
            for level, width in zip(levels, channels, strict=True)
        )

    @classmethod
    def from_unet(
        cls, unet: UNet2DConditionModel, kind: Kind = "attn1", zero_linear: bool = True
    ) -> "ExtendedAttention":
        """Make weights for a U-Net's self-attention (`attn1`) or cross-attention (`attn2`) layers."""
        layers = attention_layers(unet, kind)
        made: ExtendedAttention = cls(
            names=list(layers),
            levels=[level_of(unet, name) for name in layers],
            channels=[layer.to_q.out_features for layer in layers.values()],
            level_channels=list(unet.config["block_out_channels"]),
            zero_linear=zero_linear,
        )
        made.to(unet.device).type(unet.dtype)
        return made

    @apply_forward_hook
    def keys_and_values(self, levels: Sequence[Float[Tensor, "B _ _"]]) -> dict[str, WardrobeLayer]:
        """Project F_SRM to K' and V' of every layer, once, by the layer's module path."""
        names, numbers = self.config["names"], self.config["levels"]
        return {
            name: layer(levels[number])
            for name, number, layer in zip(names, numbers, self.layers, strict=True)
        }


def level_of(unet: UNet2DConditionModel, name: str) -> int:
    """The level of an attention layer: how often its feature map has been halved since the input.

    Args:
        unet: the U-Net.
        name: the layer's module path: `down_blocks.0...`, `mid_block...`, `up_blocks.1...`.
    """
    last = len(unet.config["block_out_channels"]) - 1
    part, number, *_ = name.split(".")
    if part == "mid_block":
        return last
    return int(number) if part == "down_blocks" else last - int(number)
