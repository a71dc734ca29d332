"""Reading a U-Net as an encoder: what enters its self-attention layers, and nothing after it.

Legend: `B` batch, `C c` channels, `h w` pixels of a feature map, `N` = h·w tokens, `L D` text and its width.
"""

from collections.abc import Callable, Generator
from functools import partial
from itertools import islice, zip_longest
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from toile.diffusion.layers import attention_layers

Call = Callable[..., Any]
SelfAttention = Callable[[str, Attention, Tensor], Tensor]
"""From a layer's module path, the layer and what enters it, (B, N, c), to what leaves it."""


def own_attention(path: str, layer: Attention, hidden_states: Float[Tensor, "B N c"]) -> Tensor:
    """What the layer itself computes."""
    output: Tensor = layer(hidden_states)
    return output


@apply_forward_hook
def encode_hidden_states(
    unet: UNet2DConditionModel,
    sample: Float[Tensor, "B C h w"],
    timestep: Int[Tensor, "..."],
    encoder_hidden_states: Float[Tensor, "B L D"] | None,
    self_attention: SelfAttention = own_attention,
) -> dict[str, Float[Tensor, "B N c"]]:
    """Encode a picture as the hidden states that enter a U-Net's self-attention layers, after their norm.

    Source: IGR, Section 3.2: "intermediate features extracted at different resolutions before the
    self-attention layers", F_hl.

    Args:
        unet: any diffusers U-Net with Stable Diffusion's blocks.
        sample: what the U-Net reads: latents, and further channels if it has them.
        timestep: t of each row, or one for all.
        encoder_hidden_states: embeddings of the text; None leaves the cross-attention layers out.
        self_attention: computes a self-attention layer.

    Returns:
        By the layer's module path, in the order in which they are computed.
    """
    count = len(attention_layers(unet, "attn1"))
    # A generator computes nothing beyond what is taken from it: this is where the U-Net's tail is left away.
    inputs = _self_attention_inputs(unet, sample, timestep, encoder_hidden_states, self_attention)
    return dict(islice(inputs, count))


def unused_parameters(unet: UNet2DConditionModel) -> list[nn.Parameter]:
    """List the parameters that no hidden state depends on: those after the last self-attention's norm."""
    last = max(index for index, block in enumerate(unet.up_blocks) if _attentions(block))
    transformer = unet.up_blocks[last].attentions[-1]
    block = transformer.transformer_blocks[-1]
    tail: list[nn.Module | None] = [
        *(module for name, module in block.named_children() if name != "norm1"),
        transformer.proj_out,
        unet.up_blocks[last].upsamplers,
        *unet.up_blocks[last + 1 :],
        unet.conv_norm_out,
        unet.conv_out,
    ]
    return [parameter for module in tail if module is not None for parameter in module.parameters()]


def _self_attention_inputs(
    unet: UNet2DConditionModel,
    sample: Tensor,
    timestep: Tensor,
    text: Tensor | None,
    attend: SelfAttention,
) -> Generator[tuple[str, Tensor], None, None]:
    call = _checkpointed if unet.is_gradient_checkpointing and torch.is_grad_enabled() else _plain
    time = unet.time_embedding(unet.get_time_embed(sample=sample, timestep=timestep))  # (B, 4 C)
    hidden = unet.conv_in(sample)  # (B C h w)
    skips = [hidden]
    for index, block in enumerate(unet.down_blocks):
        for number, (resnet, transformer) in enumerate(zip_longest(block.resnets, _attentions(block))):
            hidden = call(resnet, hidden, time)
            if transformer is not None:
                path = f"down_blocks.{index}.attentions.{number}"
                hidden = yield from _transformer_inputs(transformer, path, hidden, text, attend, call)
            skips.append(hidden)
        for downsampler in block.downsamplers or ():
            hidden = downsampler(hidden)  # (B C h/2 w/2)
            skips.append(hidden)

    hidden = call(unet.mid_block.resnets[0], hidden, time)
    for number, (transformer, resnet) in enumerate(
        zip(_attentions(unet.mid_block), unet.mid_block.resnets[1:], strict=True)
    ):
        path = f"mid_block.attentions.{number}"
        hidden = yield from _transformer_inputs(transformer, path, hidden, text, attend, call)
        hidden = call(resnet, hidden, time)

    for index, block in enumerate(unet.up_blocks):
        for number, (resnet, transformer) in enumerate(zip_longest(block.resnets, _attentions(block))):
            hidden = call(resnet, torch.cat([hidden, skips.pop()], dim=1), time)
            if transformer is not None:
                path = f"up_blocks.{index}.attentions.{number}"
                hidden = yield from _transformer_inputs(transformer, path, hidden, text, attend, call)
        for upsampler in block.upsamplers or ():
            hidden = upsampler(hidden, skips[-1].shape[-2:])  # (B C 2h 2w), or as the skip says


def _transformer_inputs(
    transformer: Transformer2DModel,
    path: str,
    hidden: Tensor,
    text: Tensor | None,
    attend: SelfAttention,
    call: Call,
) -> Generator[tuple[str, Tensor], None, Tensor]:
    """Yield what enters each self-attention of one transformer; return the feature map that it gives."""
    batch, _, height, width = hidden.shape
    tokens, inner = transformer._operate_on_continuous_inputs(hidden)  # (B N C)
    for number, block in enumerate(transformer.transformer_blocks):
        normed = block.norm1(tokens)  # (B N C)
        name = f"{path}.transformer_blocks.{number}.attn1"
        yield name, normed
        tokens = call(_after_norm, block, tokens, normed, text, partial(attend, name))
    output: Tensor = transformer._get_output_for_continuous_inputs(
        hidden_states=tokens, residual=hidden, batch_size=batch, height=height, width=width, inner_dim=inner
    )  # (B C h w)
    return output


def _after_norm(
    block: BasicTransformerBlock,
    tokens: Tensor,
    normed: Tensor,
    text: Tensor | None,
    attend: Callable[[Attention, Tensor], Tensor],
) -> Tensor:
    tokens = tokens + attend(block.attn1, normed)
    if text is not None:
        tokens = tokens + block.attn2(block.norm2(tokens), encoder_hidden_states=text)
    output: Tensor = tokens + block.ff(block.norm3(tokens))
    return output


def _attentions(block: nn.Module) -> list[Transformer2DModel]:
    return list(getattr(block, "attentions", ()))


def _plain(function: Call, *arguments: Any) -> Any:
    return function(*arguments)


def _checkpointed(function: Call, *arguments: Any) -> Any:
    return checkpoint(function, *arguments, use_reentrant=False)
