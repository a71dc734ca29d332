"""Installing Dressing-Attention into a stock pipeline, and taking it out again.

It is the pipeline's U-Net that changes, and with it every pipeline that shares it: its attention layers get
another class (`dressing_attention`), and a hook tells wardrobes in each step which rows are whose. Nothing is
registered in the U-Net, so that LoRA, IP-Adapter and the like load and unload before or after.
"""

from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from torch import nn

from toile.anydressing.dressing_attention import (
    DressedAttention,
    DressingAttention,
    install_layers,
    uninstall_layers,
)
from toile.anydressing.row_layout import running_layout
from toile.diffusion.layers import attention_layers
from toile.errors import ToileError
from toile.wardrobe import Wardrobe


def install(pipe: DiffusionPipeline, dressing_attention: DressingAttention | None = None) -> None:
    """Teach a pipeline to dress: `pipe(..., cross_attention_kwargs={"wardrobe": wardrobe})`.

    Doing it twice does nothing more. A U-Net that is put in later needs it again.

    Args:
        pipe: any pipeline with a U-Net; `torch.compile` may have wrapped that, or may do so later
            (`compile_repeated_blocks` with `isolate_recompiles=True`: each block reads keys of its own).
        dressing_attention: what projects the garments; the U-Net's layers have to be those that it was made
            for. None asks for nothing.

    Raises:
        ToileError: when they are not, or the U-Net's attention layers are not diffusers' own.
    """
    unet = denoiser(pipe)
    if dressing_attention is not None:
        require_fit(unet, dressing_attention)
    install_layers(unet)
    if find_rows not in unet._forward_pre_hooks.values():
        unet.register_forward_pre_hook(find_rows, with_kwargs=True)


def uninstall(pipe: DiffusionPipeline) -> None:
    """Give a pipeline, and all that share its U-Net, back exactly the U-Net that was there."""
    unet = denoiser(pipe)
    uninstall_layers(unet)
    for number in [number for number, hook in unet._forward_pre_hooks.items() if hook is find_rows]:
        del unet._forward_pre_hooks[number]
        del unet._forward_pre_hooks_with_kwargs[number]


def denoiser(pipe: DiffusionPipeline) -> UNet2DConditionModel:
    """The U-Net of a pipeline, without what `torch.compile` wraps it in.

    Raises:
        ToileError: when it has none.
    """
    unet = getattr(pipe, "unet", None)
    unet = getattr(unet, "_orig_mod", unet)
    if not isinstance(unet, UNet2DConditionModel):
        raise ToileError(f"{type(pipe).__name__} has no U-Net; give a Stable Diffusion pipeline")
    return unet


def require_fit(unet: UNet2DConditionModel, dressing_attention: DressingAttention) -> None:
    """Refuse a U-Net that has other self-attention layers than those that the weights are for.

    Raises:
        ToileError: when one is missing, too many, or of another width.
    """
    config = dressing_attention.config
    expected = dict(zip(config["names"], config["widths"], strict=True))
    found = {name: layer.inner_dim for name, layer in attention_layers(unet, "attn1").items()}
    for name in expected | found:
        own, wanted = (widths.get(name, "no") for widths in (found, expected))
        if own != wanted:
            raise ToileError(
                f"the U-Net does not fit: it has {own} channels at {name}, and these weights were made for "
                f"{wanted}; take a model that derives from their base model"
            )


@torch.compiler.disable
def find_rows(
    unet: nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Before each step: tell a wardrobe which rows of the batch are whose, and refuse what does not fit.

    It runs outside of what `torch.compile` compiles, and moves a wardrobe to where the latents are, as model
    offloading does it for the first step only.

    Raises:
        ToileError: when the wardrobe was made for another U-Net, or the rows cannot be told.
    """
    given = keywords.get("cross_attention_kwargs") or {}
    wardrobe = given.get("wardrobe")
    if wardrobe is None:
        return None
    if not isinstance(wardrobe, Wardrobe):
        kind = type(wardrobe).__name__
        raise ToileError(f"a {kind} is not a Wardrobe; make one with dressing.wardrobe(...)")
    sample = arguments[0] if arguments else keywords["sample"]
    if wardrobe.per_picture:
        wardrobe = wardrobe.for_rows(running_layout().owners(wardrobe.rows, len(sample)))
    _require_wearable(unet, wardrobe, len(sample))
    worn = wardrobe.to(sample.device)
    return arguments, {**keywords, "cross_attention_kwargs": {**given, "wardrobe": worn}}


def _require_wearable(unet: nn.Module, wardrobe: Wardrobe, batch: int) -> None:
    if len(wardrobe.rows) != batch:
        raise ToileError(
            f"the wardrobe says who owns what in {len(wardrobe.rows)} rows, but the batch has {batch}; "
            "name every row in wardrobe.for_rows(...)"
        )
    for name, layer in wardrobe.layers.items():
        attention = _submodule(unet, name)
        if not isinstance(attention, DressedAttention) or attention.inner_dim != layer.key.shape[-1]:
            raise ToileError(
                f"the U-Net has no layer {name} of {layer.key.shape[-1]} channels; "
                "this wardrobe was made for another U-Net"
            )


def _submodule(unet: nn.Module, name: str) -> nn.Module | None:
    try:
        return unet.get_submodule(name)
    except AttributeError:
        return None
