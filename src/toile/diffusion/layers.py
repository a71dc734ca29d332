"""Attention layers of a diffusers U-Net that take a `Wardrobe` through `cross_attention_kwargs`.

Nothing is kept between calls: a layer knows its own name, and everything else comes as an argument. Without a
wardrobe the U-Net computes exactly what diffusers computes.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float
from torch import Tensor, nn

from toile.diffusion.attention import added_attention, attention, joint_attention
from toile.diffusion.correspondence import Correspondence
from toile.errors import ToileError
from toile.wardrobe import Wardrobe, WardrobeLayer
from toile.wardrobe_rows import Run

Kind = Literal["attn1", "attn2"]


def attention_layers(unet: nn.Module, kind: Kind) -> dict[str, Attention]:
    """Find a U-Net's self-attention (`attn1`) or cross-attention (`attn2`) layers by their module paths.

    The order is the one in which diffusers and IP-Adapter count them: down, up, middle.
    """
    found = (
        (plain_name(name), module) for name, module in unet.named_modules() if isinstance(module, Attention)
    )
    return {name: module for name, module in found if name.endswith(f".{kind}")}


def plain_name(name: str) -> str:
    """A module path without the prefix that `torch.compile` puts in front of what it wraps."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def prepare_unet(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Teach a U-Net to read a wardrobe: `unet(..., cross_attention_kwargs={"wardrobe": wardrobe})`.

    Doing it twice does nothing more.

    Returns:
        The same U-Net.
    """
    for kind in ("attn1", "attn2"):
        for name, layer in attention_layers(unet, kind).items():
            layer.wardrobe_layer = name
            layer.set_processor(WardrobeAttention())
    if check_wardrobe not in unet._forward_pre_hooks.values():
        unet.register_forward_pre_hook(check_wardrobe, with_kwargs=True)
    return unet


def check_wardrobe(unet: nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> None:
    """Refuse a wardrobe that does not fit the U-Net or the batch, before anything is computed.

    Raises:
        ToileError: when it has layers that the U-Net has not, or rows for another batch.
    """
    wardrobe = (keywords.get("cross_attention_kwargs") or {}).get("wardrobe")
    if wardrobe is None:
        return
    sample = arguments[0] if arguments else keywords["sample"]
    if len(wardrobe.rows) != len(sample):
        raise ToileError(
            f"the wardrobe says who owns what in {len(wardrobe.rows)} rows, but the batch has {len(sample)}; "
            "use Wardrobe.for_rows"
        )
    known = attention_layers(unet, "attn1") | attention_layers(unet, "attn2")
    unknown = [name for name in wardrobe.layers if name not in known]
    if unknown:
        raise ToileError(f"the U-Net has no layer {unknown[0]}; this wardrobe was made for another U-Net")


class WardrobeAttention:
    """diffusers' attention, and in rows that own a garment, attention to that garment as well."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Float[Tensor, "B N C"],
        encoder_hidden_states: Float[Tensor, "B M D"] | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        wardrobe: Wardrobe | None = None,
        correspondence: Correspondence | None = None,
    ) -> Float[Tensor, "B N C"]:
        """Attend; the arguments are diffusers', a wardrobe, and in training what watches self-attention."""
        layer = None if wardrobe is None else wardrobe.layers.get(attn.wardrobe_layer)
        if correspondence is not None and encoder_hidden_states is None:
            _observe(correspondence, attn, hidden_states, wardrobe, layer)
        if wardrobe is None or layer is None:
            plain: Tensor = AttnProcessor2_0()(
                attn, hidden_states, encoder_hidden_states, attention_mask, temb
            )
            return plain
        if attention_mask is not None:
            raise ToileError("a wardrobe cannot be combined with an attention mask; leave one of them away")
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query = attn.to_q(hidden_states)  # (B N C)
        key, value = attn.to_k(context), attn.to_v(context)  # (B M C)
        parts = [
            _attend(layer, run, query[run.rows], key[run.rows], value[run.rows], attn.heads)
            for run in wardrobe.runs
        ]
        output: Tensor = parts[0] if len(parts) == 1 else torch.cat(parts)  # (B N C)
        output = attn.to_out[1](attn.to_out[0](output)) / attn.rescale_output_factor
        return output


def _observe(
    correspondence: Correspondence,
    attn: Attention,
    hidden_states: Tensor,
    wardrobe: Wardrobe | None,
    layer: WardrobeLayer | None,
) -> None:
    """Show queries and keys to what watches; computed once more, so that attention itself stays as it is."""
    query, key = attn.to_q(hidden_states), attn.to_k(hidden_states)  # (B N C)
    if correspondence.beside:
        correspondence.observe(attn.wardrobe_layer, [(slice(None), query, key)], attn.heads)
    elif wardrobe is not None and layer is not None:
        groups = [
            (run.rows, query[run.rows], torch.cat([run.take(layer.key).to(key.dtype), key[run.rows]], dim=1))
            for run in wardrobe.runs
            if run.items is not None
        ]
        correspondence.observe(attn.wardrobe_layer, groups, attn.heads)


def _attend(layer: WardrobeLayer, run: Run, query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    if run.items is None:
        return attention(query, key, value, heads)
    garment = layer.map(lambda tokens: run.take(tokens).to(query.dtype))
    if layer.mode == "joint":
        return joint_attention(query, key, value, garment.key, garment.value, heads)
    return added_attention(query, key, value, garment.key, garment.value, heads, layer.scale, layer.output)


@apply_forward_hook
def project_hidden_states(
    unet: UNet2DConditionModel, hidden_states: Mapping[str, Float[Tensor, "items N C"]]
) -> dict[str, WardrobeLayer]:
    """Turn hidden states into the keys and values of the U-Net's own layers, to be attended to jointly.

    Source: IGR, Eq. 4: K_fcon and V_fcon come from F_con = [F_hl ; F_g] by one projection, so the half that
    belongs to F_hl can be projected ahead.
    """
    layers = attention_layers(unet, "attn1")
    missing = [name for name in hidden_states if name not in layers]
    if missing:
        raise ToileError(f"the U-Net has no layer {missing[0]}; these features were made for another U-Net")
    return {
        name: WardrobeLayer(key=layers[name].to_k(states), value=layers[name].to_v(states), mode="joint")
        for name, states in hidden_states.items()
    }
