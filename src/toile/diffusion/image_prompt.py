"""The image prompt: a picture's CLIP embedding as a few tokens for the cross-attention layers (IP-Adapter).

Legend: `B` batch, `E` width of the image embedding, `T` image tokens, `D` width of text tokens, `C` channels
of a layer, `H W` pixels.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from toile.diffusion.layers import attention_layers
from toile.errors import ToileError
from toile.wardrobe import WardrobeLayer


class ImageProjection(nn.Module):
    """Turns one image embedding into a few tokens as wide as text tokens."""

    def __init__(self, image_embed_dim: int, cross_attention_dim: int, num_tokens: int) -> None:
        super().__init__()
        self.num_tokens = num_tokens
        self.proj = nn.Linear(image_embed_dim, num_tokens * cross_attention_dim)
        self.norm = nn.LayerNorm(cross_attention_dim)

    def forward(self, image_embeds: Float[Tensor, "B E"]) -> Float[Tensor, "B T D"]:
        """Project and normalise."""
        tokens = self.proj(image_embeds)  # (B, T D)
        normed: Tensor = self.norm(tokens.unflatten(-1, (self.num_tokens, -1)))  # (B T D)
        return normed


class LayerProjection(nn.Module):
    """Keys and values of image tokens for one cross-attention layer."""

    def __init__(self, cross_attention_dim: int, hidden_size: int) -> None:
        super().__init__()
        self.to_k_ip = nn.Linear(cross_attention_dim, hidden_size, bias=False)
        self.to_v_ip = nn.Linear(cross_attention_dim, hidden_size, bias=False)

    def forward(
        self, tokens: Float[Tensor, "B T D"]
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T C"]]:
        """Project tokens to keys and values."""
        return self.to_k_ip(tokens), self.to_v_ip(tokens)


class LowLevelExtractor(ModelMixin, ConfigMixin):
    """IGR's low-level extractor: everything of IP-Adapter that has weights.

    Source: IGR, Section 3.2 and Eq. 3 (F_ll, K_ll, V_ll); Ye et al. 2023, IP-Adapter. The parameters bear the
    names of the published `ip-adapter_sd15`. There, layer i is the i-th attention layer of the U-Net, counted
    down, up, middle, self-attention included: cross-attention layers have the odd numbers.

    Args:
        image_embed_dim: width of the image encoder's projected embedding.
        cross_attention_dim: width of the U-Net's text tokens.
        hidden_sizes: channels of each cross-attention layer, counted down, up, middle.
        num_tokens: tokens made of one picture.
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self, image_embed_dim: int, cross_attention_dim: int, hidden_sizes: Sequence[int], num_tokens: int = 4
    ) -> None:
        super().__init__()
        self.image_proj = ImageProjection(image_embed_dim, cross_attention_dim, num_tokens)
        self.ip_adapter = nn.ModuleDict(
            {
                str(2 * index + 1): LayerProjection(cross_attention_dim, size)
                for index, size in enumerate(hidden_sizes)
            }
        )

    def forward(self, image_embeds: Float[Tensor, "B E"]) -> Float[Tensor, "B T D"]:
        """Turn image embeddings into image tokens, F_ll."""
        tokens: Tensor = self.image_proj(image_embeds)  # (B T D)
        return tokens

    @apply_forward_hook
    def keys_and_values(
        self, tokens: Float[Tensor, "B T D"]
    ) -> list[tuple[Float[Tensor, "B T C"], Float[Tensor, "B T C"]]]:
        """Project image tokens to K_ll and V_ll of each cross-attention layer, counted down, up, middle."""
        return [projection(tokens) for projection in self.ip_adapter.values()]

    def wardrobe_layers(
        self, unet: UNet2DConditionModel, tokens: Float[Tensor, "B T D"]
    ) -> dict[str, WardrobeLayer]:
        """What a U-Net's cross-attention layers add for image tokens, by the layers' module paths."""
        names = attention_layers(unet, "attn2")
        return {
            name: WardrobeLayer(key=key, value=value, mode="added")
            for name, (key, value) in zip(names, self.keys_and_values(tokens), strict=True)
        }

    @classmethod
    def from_unet(
        cls, unet: UNet2DConditionModel, image_embed_dim: int, num_tokens: int = 4
    ) -> "LowLevelExtractor":
        """Make an extractor that fits a U-Net, its keys and values started as copies of those for text.

        Ours: the paper does not say how it starts; copying is how IP-Adapter itself is trained from scratch.
        """
        layers = attention_layers(unet, "attn2").values()
        extractor: LowLevelExtractor = cls(
            image_embed_dim=image_embed_dim,
            cross_attention_dim=int(unet.config["cross_attention_dim"]),
            hidden_sizes=[layer.to_k.out_features for layer in layers],
            num_tokens=num_tokens,
        )
        for layer, projection in zip(layers, extractor.ip_adapter.values(), strict=True):
            weights = {"to_k_ip.weight": layer.to_k.weight, "to_v_ip.weight": layer.to_v.weight}
            projection.load_state_dict(weights)
        extractor.to(unet.device).type(unet.dtype)
        return extractor

    @classmethod
    def from_published(cls, path: Path | str) -> "LowLevelExtractor":
        """Load a published IP-Adapter file, as `ip-adapter_sd15.safetensors`.

        Raises:
            ToileError: when it cannot be read, is a pickle, or is not an IP-Adapter of this form.
        """
        path = Path(path)
        if path.suffix != ".safetensors":
            raise ToileError(
                f"{path} is not a safetensors file; take the .safetensors file published beside it"
            )
        try:
            state = load_file(path)
        except (OSError, SafetensorError) as error:
            raise ToileError(f"cannot read {path}: {error}") from error
        return cls.from_published_state(state)

    @classmethod
    def from_published_state(cls, state: Mapping[str, Any]) -> "LowLevelExtractor":
        """Build an extractor from published weights, flat or nested as {"image_proj": {}, "ip_adapter": {}}.

        Raises:
            ToileError: when the weights are not an IP-Adapter of this form.
        """
        flat = _flatten(state)
        layers = sorted(int(name.split(".")[1]) for name in flat if name.endswith(".to_k_ip.weight"))
        try:
            width = len(flat["image_proj.norm.weight"])
            tokens, embed = flat["image_proj.proj.weight"].shape
            sizes = [len(flat[f"ip_adapter.{layer}.to_k_ip.weight"]) for layer in layers]
            extractor: LowLevelExtractor = cls(
                image_embed_dim=embed,
                cross_attention_dim=width,
                hidden_sizes=sizes,
                num_tokens=tokens // width,
            )
            extractor.load_state_dict(flat)
        except (KeyError, RuntimeError) as error:
            raise ToileError(
                f"these are not the weights of an IP-Adapter like ip-adapter_sd15: {error}"
            ) from error
        return extractor


def _flatten(state: Mapping[str, Any]) -> dict[str, Tensor]:
    if "image_proj" not in state:
        return dict(state)
    parts = ("image_proj", "ip_adapter")
    return {f"{part}.{name}": tensor for part in parts for name, tensor in state.get(part, {}).items()}


def garment_crop(
    person: Float[Tensor, "B 3 H W"],
    mask: Float[Tensor, "B 1 H W"],
    size: int,
    mean: Sequence[float] = OPENAI_CLIP_MEAN,
    std: Sequence[float] = OPENAI_CLIP_STD,
) -> Float[Tensor, "B 3 size size"]:
    """Cut the garment out of a photo, as an image encoder wants it.

    Source: IGR, Section 3.2: p_g = Resize(Crop(p · m)), p = `person`, m = `mask`.
    Ours: the crop is the bounding box of m > 0.5; p lies in [-1, 1], so that p · m is mid-grey outside it,
    close to the mean that CLIP subtracts; the box is resized to the square as it is, antialiased, bicubic.

    Args:
        person: RGB in [-1, 1].
        mask: in [0, 1]; 1 is the garment.
        size: height and width that the image encoder takes.
        mean: of RGB in [0, 1], subtracted.
        std: of RGB in [0, 1], divided by.

    Raises:
        ToileError: when a mask is empty.
    """
    crops = torch.cat(
        [_crop(*pair, size) for pair in zip(person * mask, mask, strict=True)]
    )  # (B 3 size size)
    channels = [crops.new_tensor(values)[:, None, None] for values in (mean, std)]
    return (crops / 2 + 0.5 - channels[0]) / channels[1]


def _crop(picture: Float[Tensor, "3 H W"], mask: Float[Tensor, "1 H W"], size: int) -> Tensor:
    inside = mask[0] > 0.5
    if not inside.any():
        raise ToileError("the mask is empty: it marks no pixel as garment; white (1) marks the garment")
    rows, columns = inside.any(dim=1).nonzero(), inside.any(dim=0).nonzero()
    box = picture[None, :, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    resized = functional.interpolate(box, (size, size), mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(-1, 1)  # (1 3 size size)
