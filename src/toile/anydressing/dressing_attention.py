"""Dressing-Attention: how a frozen U-Net of anybody's reads garments.

`DressingAttention` has the weights. `install_layers` gives a U-Net's attention layers another class, whose
`forward` takes a wardrobe as an argument: nothing is registered in the U-Net and nothing kept in processors,
so that extensions may replace those as they like.

Legend: `B` rows of a batch, `N` tokens, `C` channels of a layer, `items` garments.
"""

from collections.abc import Mapping, Sequence
from types import MethodType
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention_processor import Attention
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float
from torch import Tensor, nn

from toile.anydressing.localization import AttentionMaps, mapped_attention
from toile.diffusion.attention import attention
from toile.diffusion.layers import attention_layers
from toile.errors import ToileError
from toile.wardrobe import GarmentFeatures, Wardrobe, WardrobeLayer
from toile.wardrobe_rows import Run


class LayerProjection(nn.Module):
    """W_k' and W_v' of one self-attention layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)

    def forward(self, hidden_states: Float[Tensor, "items N C"]) -> WardrobeLayer:
        """Project F_i to K' and V'."""
        return WardrobeLayer(key=self.to_k(hidden_states), value=self.to_v(hidden_states), mode="added")


class DressingAttention(ModelMixin, ConfigMixin):
    """The weights of Dressing-Attention: W_k' and W_v' for each self-attention layer of a U-Net.

    Source: AnyDressing, Eq. 6: K' = F_all W_k', V' = F_all W_v'. Garments do not meet here, so that each can
    be projected by itself, once.

    Args:
        names: module paths of the layers, in the order of the weights.
        widths: channels of each.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(self, names: Sequence[str], widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(LayerProjection(width) for width in widths)

    @classmethod
    def from_unet(cls, unet: UNet2DConditionModel) -> "DressingAttention":
        """Start as copies of the U-Net's own W_k and W_v (Section 4.2.1)."""
        layers = attention_layers(unet, "attn1")
        made: DressingAttention = cls(
            names=list(layers), widths=[layer.to_k.out_features for layer in layers.values()]
        )
        for own, projection in zip(layers.values(), made.layers, strict=True):
            projection.load_state_dict({"to_k.weight": own.to_k.weight, "to_v.weight": own.to_v.weight})
        made.to(unet.device).type(unet.dtype)
        return made

    @apply_forward_hook
    def forward(self, hidden_states: Mapping[str, Float[Tensor, "items _ _"]]) -> dict[str, WardrobeLayer]:
        """Project garments' features to K' and V' of every layer, once, by the layer's module path.

        Raises:
            ToileError: when the features are those of another U-Net.
        """
        names = self.config["names"]
        missing = sorted(set(names) ^ set(hidden_states))
        if missing:
            raise ToileError(f"these features were made for another U-Net: {missing[0]} is not in both")
        return {name: layer(hidden_states[name]) for name, layer in zip(names, self.layers, strict=True)}


def dressed_wardrobe(
    attention: DressingAttention, features: GarmentFeatures, outfits: Sequence[tuple[int, ...]] | None = None
) -> Wardrobe:
    """Turn garments' features into keys and values, once, with λ = 1.

    Args:
        attention: W_k' and W_v'.
        features: of garments.
        outfits: which of them each picture wears; None is one picture with all of them.

    Raises:
        ToileError: when the features are those of another U-Net.
    """
    return Wardrobe(
        layers=attention(features.hidden_states),
        rows=(tuple(range(features.items)),) if outfits is None else tuple(outfits),
        per_picture=True,
        categories=features.categories,
    )


class DressedAttention(Attention):
    """diffusers' attention, and in rows that own garments, λ times attention to them.

    Source: AnyDressing, Eq. 6: Softmax(QKᵀ/√d) V + λ · Softmax(Q K'ᵀ/√d) V'. The output projection is linear,
    so that the second term can be projected by itself, after whatever processor computed the first.
    """

    wardrobe_layer: str

    def forward(
        self,
        hidden_states: Float[Tensor, "B N C"],
        encoder_hidden_states: Tensor | tuple[Tensor, list[Tensor]] | None = None,
        attention_mask: Tensor | None = None,
        wardrobe: Wardrobe | None = None,
        attention_maps: AttentionMaps | None = None,
        **cross_attention_kwargs: Any,
    ) -> Float[Tensor, "B N C"]:
        """Attend; the arguments are diffusers', a wardrobe, and where to put the garments' attention maps.

        Image prompts of diffusers' IP-Adapter come beside the text, as a pair.
        """
        output: Tensor = super().forward(
            hidden_states, encoder_hidden_states, attention_mask, **cross_attention_kwargs
        )
        layer = None if wardrobe is None else wardrobe.layers.get(self.wardrobe_layer)
        if wardrobe is None or layer is None:
            return output
        if attention_maps is not None:
            attention_maps.layers[self.wardrobe_layer] = []
        return torch.cat(
            [
                output[run.rows]
                if run.items is None
                else output[run.rows] + self._garments(layer, run, hidden_states[run.rows], attention_maps)
                for run in wardrobe.runs
            ]
        )

    def _garments(
        self, layer: WardrobeLayer, run: Run, hidden_states: Tensor, maps: AttentionMaps | None
    ) -> Tensor:
        """The second term of Eq. 6, projected, for rows that own garments."""
        query = self.to_q(hidden_states)  # (rows N C)
        key, value = (run.take(tokens).to(query.dtype) for tokens in (layer.key, layer.value))  # (rows M C)
        if maps is None:
            added = attention(query, key, value, self.heads)  # (rows N C)
        else:
            own_key = self.to_k(hidden_states) if maps.mode == "joint" else None
            tokens = [layer.key.shape[1]] * run.each
            added, found = mapped_attention(query, key, value, self.heads, tokens, own_key)
            maps.layers[self.wardrobe_layer].append((run, found))
        if layer.scale is not None:
            added = added * layer.scale.to(added.dtype)
        # The bias is what the layer makes of nothing; its own tensor may be offloaded.
        bias = self.to_out[0](added.new_zeros(1, 1, added.shape[-1]))
        projected: Tensor = (self.to_out[0](added) - bias) / self.rescale_output_factor
        return projected


def install_layers(unet: UNet2DConditionModel) -> None:
    """Teach a U-Net's attention layers to read a wardrobe: `cross_attention_kwargs={"wardrobe": wardrobe}`.

    Doing it twice does nothing more.

    Raises:
        ToileError: when a layer is of another class than diffusers' own.
    """
    layers = attention_layers(unet, "attn1") | attention_layers(unet, "attn2")
    for name, layer in layers.items():
        if type(layer) not in (Attention, DressedAttention):
            raise ToileError(
                f"{name} is a {type(layer).__name__}, not diffusers' own Attention; uninstall what changed it"
            )
    for name, layer in layers.items():
        _change_class(layer, DressedAttention)
        layer.wardrobe_layer = name


def uninstall_layers(unet: UNet2DConditionModel) -> None:
    """Give a U-Net its own attention layers back."""
    for layer in (attention_layers(unet, "attn1") | attention_layers(unet, "attn2")).values():
        if isinstance(layer, DressedAttention):
            del layer.wardrobe_layer
            _change_class(layer, Attention)


def _change_class(layer: Attention, kind: type[Attention]) -> None:
    """Change a layer's class, and the bound `forward` that accelerate's hooks keep in the layer itself."""
    own = type(layer).forward
    layer.__class__ = kind
    for name in ("forward", "_old_forward"):
        if getattr(vars(layer).get(name), "__func__", None) is own:
            vars(layer)[name] = MethodType(kind.forward, layer)


def is_installed(unet: UNet2DConditionModel) -> bool:
    """Whether a U-Net reads wardrobes."""
    layers = attention_layers(unet, "attn1").values()
    return bool(layers) and all(isinstance(layer, DressedAttention) for layer in layers)
