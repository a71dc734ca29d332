"""AnyDressing's model: GarmentsNet makes a wardrobe of any number of garments, a frozen U-Net reads it.

Legend: `B` rows of a batch, `K` kinds of garments, `G` garments of all rows, `C` latent channels, `h w`
latent pixels, `L D` text tokens and their width, `E` width of an image embedding, `N` tokens of a layer, `n`
garments of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import torch
from diffusers import UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toile.anydressing.dressing_attention import DressingAttention, dressed_wardrobe, install_layers
from toile.anydressing.garments_net import GarmentsNet
from toile.anydressing.localization import AttentionMaps, Localization, RowMaps
from toile.diffusion.image_prompt import LowLevelExtractor
from toile.diffusion.objective import no_change
from toile.wardrobe import GarmentFeatures, Wardrobe, WardrobeLayer, hash_weights
from toile.wardrobe_rows import Run


@dataclass(frozen=True, kw_only=True)
class DressingPrediction:
    """What a training step needs of a forward pass."""

    noise: Float[Tensor, "B C h w"]
    """The predicted noise, or velocity."""
    maps: dict[str, list[RowMaps]]
    """By the layer's module path; empty when no maps were asked for."""


@dataclass(frozen=True, kw_only=True)
class RowOutfits:
    """The garments of a batch's rows, put in an order in which rows of equally many are neighbours."""

    order: Int[Tensor, "B"]
    """The rows of the batch in that order."""
    owners: tuple[tuple[int, ...], ...]
    """The garments of each row, in that order."""
    rows: Int[Tensor, "G"]
    """The row that each garment belongs to, in that order."""
    kinds: Int[Tensor, "G"]
    """The kind of each garment."""

    @classmethod
    def of(cls, present: Bool[Tensor, "B K"]) -> "RowOutfits":
        """The outfits of rows, from which kinds each has."""
        counts, order = present.sum(dim=1).sort(stable=True)  # (B), (B)
        rows, kinds = present[order].nonzero(as_tuple=True)  # (G), (G)
        sizes = counts.tolist()
        ends = zip(sizes, accumulate(sizes), strict=True)
        owners = tuple(tuple(range(end - size, end)) for size, end in ends)
        return cls(order=order, owners=owners, rows=rows, kinds=kinds)

    def of_run(self, run: Run, maps: Float[Tensor, "b n N"]) -> RowMaps:
        """A layer's maps of some neighbours, by the batch's own rows."""
        items = [item for owner in self.owners[run.rows] for item in owner]
        return RowMaps(
            rows=self.order[run.rows], kinds=self.kinds[items].unflatten(0, (-1, run.each)), maps=maps
        )


class AnyDressingModel(nn.Module):
    """All of AnyDressing that has weights, and the frozen U-Net that reads them; the VAE stays outside.

    Source: AnyDressing, Fig. 2.

    Args:
        unet: DressingNet, any text-to-image U-Net of Stable Diffusion; it is frozen, and only its attention
            layers' class changes.
        garments_net: GarmentsNet; None is the baseline that has an `extractor` instead.
        dressing_attention: W_k' and W_v'; None with it.
        extractor: a few tokens a garment for the cross-attention layers, as IP-Adapter has them. Ours: a
            baseline.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        garments_net: GarmentsNet | None,
        dressing_attention: DressingAttention | None,
        extractor: LowLevelExtractor | None = None,
    ) -> None:
        super().__init__()
        self.unet = unet.requires_grad_(False)
        install_layers(unet)
        self.garments_net = garments_net
        self.dressing_attention = dressing_attention
        self.extractor = extractor

    @classmethod
    def from_base(
        cls,
        unet: UNet2DConditionModel,
        kinds: Sequence[str] = ("upper", "lower"),
        rank: int = 16,
        separate: bool = True,
        trained: Literal["lora", "full"] = "lora",
    ) -> "AnyDressingModel":
        """Start from a text-to-image U-Net: a copy becomes GarmentsNet, it itself DressingNet.

        Args:
            unet: the base model's U-Net.
            kinds: names of the garment kinds.
            rank: of their LoRA matrices.
            separate: False is "Base" of Table 3.
            trained: of GarmentsNet: `lora`, the paper's "only ΔŴ is trainable" (Section 4.1), or `full`, its
                "the trainable parameters are GarmentsNet" (Section 5.1).
        """
        net = GarmentsNet.from_unet(unet, kinds, rank, separate)
        net.unet.requires_grad_(trained == "full" or not separate)
        return cls(unet, net, DressingAttention.from_unet(unet))

    def extract(self, latents: Float[Tensor, "G C h w"], kinds: Sequence[str]) -> GarmentFeatures:
        """Encode garments as F_1 … F_G, each for itself.

        Args:
            latents: of the garments on white, multiplied by the VAE's scaling factor.
            kinds: what each is.

        Raises:
            ToileError: when a kind is unknown.
        """
        net = self._net()
        states = net.encode(latents, net.indices(kinds), [range(len(kinds))])
        return GarmentFeatures(hidden_states=states, categories=tuple(kinds))

    def project(self, features: GarmentFeatures) -> Wardrobe:
        """Turn features into keys and values, once; one picture wears all of the garments, with λ = 1."""
        return dressed_wardrobe(self._attention(), features)

    def weights_hash(self) -> str:
        """Hash GarmentsNet's weights: the stamp of the features that it makes."""
        return hash_weights(self._net())

    def forward(
        self,
        noisy: Float[Tensor, "B C h w"],
        timesteps: Int[Tensor, "B"],
        prompt_embeds: Float[Tensor, "B L D"],
        null_prompt_embeds: Float[Tensor, "1 L D"],
        garment_latents: Float[Tensor, "B K C h w"],
        present: Bool[Tensor, "B K"],
        drop: Bool[Tensor, "B"],
        localization: Localization | None = None,
        image_embeds: Float[Tensor, "B K E"] | None = None,
    ) -> DressingPrediction:
        """Predict the noise in training; rows in `drop` read the empty prompt and own no garment.

        Args:
            noisy: noised latents of the photos.
            timesteps: t of each.
            prompt_embeds: of the captions.
            null_prompt_embeds: of the empty text.
            garment_latents: of each kind's garment; what is not present is not read.
            present: which kinds each photo has.
            drop: which rows lose text and garments together.
            localization: whether to give the garments' attention maps, and under which softmax.
            image_embeds: of each kind's garment, for the baseline with an extractor.
        """
        outfits = RowOutfits.of(present & ~drop[:, None])
        prompts = torch.where(drop[:, None, None], null_prompt_embeds, prompt_embeds)  # (B L D)
        wardrobe = None
        if len(outfits.kinds):
            rows = outfits.order[outfits.rows]  # (G)
            embeds = None if image_embeds is None else image_embeds[rows, outfits.kinds]  # (G E)
            layers = self._encode(garment_latents[rows, outfits.kinds], outfits, embeds)
            wardrobe = Wardrobe(layers=layers, rows=outfits.owners)
        maps = None if localization is None else AttentionMaps(mode=localization)
        arguments = {"wardrobe": wardrobe, "attention_maps": maps}
        order = outfits.order
        noise: Tensor = self.unet(
            noisy[order], timesteps[order], prompts[order], cross_attention_kwargs=arguments
        ).sample  # (B C h w)
        if wardrobe is None:  # every trained weight takes part in every step, as several processes need it
            noise = noise + no_change(self)
        found = {} if maps is None else maps.layers
        return DressingPrediction(
            noise=noise[order.argsort()],
            maps={path: [outfits.of_run(run, a) for run, a in pairs] for path, pairs in found.items()},
        )

    def _encode(
        self, latents: Float[Tensor, "G C h w"], outfits: RowOutfits, image_embeds: Tensor | None
    ) -> dict[str, WardrobeLayer]:
        """Keys and values of a batch's garments."""
        if self.extractor is not None and image_embeds is not None:
            return self.extractor.wardrobe_layers(self.unet, self.extractor(image_embeds))
        layers: dict[str, WardrobeLayer] = self._attention()(
            self._net().encode(latents, outfits.kinds, outfits.owners)
        )
        return layers

    def _attention(self) -> DressingAttention:
        assert self.dressing_attention is not None, "the image-prompt baseline has no Dressing-Attention"
        return self.dressing_attention

    def _net(self) -> GarmentsNet:
        assert self.garments_net is not None, "the image-prompt baseline has no GarmentsNet"
        return self.garments_net

    def enable_gradient_checkpointing(self) -> None:
        """Recompute activations in the backward pass: less memory, more time."""
        self.unet.enable_gradient_checkpointing()
        if self.garments_net is not None:
            self.garments_net.unet.enable_gradient_checkpointing()
