"""IGR's model: GarmNet and the low-level extractor make a wardrobe of a photo, GarmDenoiser reads it.

Legend: `B` batch, `C` latent channels, `h w` latent pixels, `H W` pixels, `L D` text tokens and their width,
`E` width of the image embedding.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from toile.diffusion.correspondence import Correspondence
from toile.diffusion.guidance import guide, guided_rows
from toile.diffusion.image_prompt import LowLevelExtractor
from toile.diffusion.input_channels import with_input_channels
from toile.diffusion.layers import prepare_unet, project_hidden_states
from toile.diffusion.objective import no_change
from toile.diffusion.reference import encode_hidden_states, unused_parameters
from toile.wardrobe import GarmentFeatures, Wardrobe, hash_weights

CATEGORY_PROMPTS: dict[str, str] = {
    "upper": "a photo of an upper garment laid flat on white",
    "lower": "a photo of a lower garment laid flat on white",
    "dress": "a photo of a dress laid flat on white",
}
"""What GarmNet and GarmDenoiser read. Paper: three prompts, one a category. Ours: their words."""


@dataclass(frozen=True, kw_only=True)
class IGRPrediction:
    """What a training step gets to see."""

    noise: Float[Tensor, "B C h w"]
    """The predicted noise (or velocity)."""
    correspondence_loss: Float[Tensor, ""] | None
    """How far self-attention is from finding the garment's points; None when none were given."""


class IGRModel(nn.Module):
    """All of IGR that has weights of its own; VAE, text encoder and image encoder stay outside, frozen.

    Source: IGR, Fig. 3.

    Args:
        garment_net: GarmNet, with one input channel more than `unet`; None is the ablation without it.
        unet: GarmDenoiser.
        extractor: the low-level extractor.
    """

    def __init__(
        self,
        garment_net: UNet2DConditionModel | None,
        unet: UNet2DConditionModel,
        extractor: LowLevelExtractor,
    ) -> None:
        super().__init__()
        self.garment_net = garment_net
        self.unet = prepare_unet(unet)
        self.extractor = extractor
        if garment_net is not None:
            for parameter in unused_parameters(garment_net):
                parameter.requires_grad_(False)

    @classmethod
    def from_base(
        cls, unet: UNet2DConditionModel, image_embed_dim: int, garment_net: bool = True
    ) -> "IGRModel":
        """Start IGR from a text-to-image U-Net, which is copied.

        Args:
            unet: the base model's U-Net.
            image_embed_dim: width of the image encoder's projected embedding.
            garment_net: False leaves GarmNet out (Table 2, "w/o GarmNet").
        """
        return cls(
            garment_net=with_mask_channel(unet) if garment_net else None,
            unet=with_input_channels(unet, unet.config["in_channels"]),
            extractor=LowLevelExtractor.from_unet(unet, image_embed_dim),
        )

    def extract(
        self,
        person_latents: Float[Tensor, "B C h w"],
        mask: Float[Tensor, "B 1 h w"],
        prompt_embeds: Float[Tensor, "B L D"],
        image_embeds: Float[Tensor, "B E"],
        categories: Sequence[str] = (),
    ) -> GarmentFeatures:
        """Encode photos as F_hl (GarmNet) and F_ll (the low-level extractor).

        Args:
            person_latents: the photo's latents, multiplied by the VAE's scaling factor.
            mask: in [0, 1], 1 is the garment, resized to the latents (`latent_mask`).
            prompt_embeds: the category prompt, embedded.
            image_embeds: image embeddings of the cropped garments (`garment_crop`).
            categories: what the prompts say, to be kept with the features.
        """
        hidden_states = {}
        if self.garment_net is not None:
            sample = torch.cat([person_latents, mask], dim=1)  # (B C+1 h w)
            time = torch.zeros(len(sample), dtype=torch.long, device=sample.device)  # (B)
            hidden_states = encode_hidden_states(self.garment_net, sample, time, prompt_embeds)
        image_tokens = self.extractor(image_embeds)  # (B T D)
        return GarmentFeatures(
            hidden_states=hidden_states, image_tokens=image_tokens, categories=tuple(categories)
        )

    def project(self, features: GarmentFeatures) -> Wardrobe:
        """Turn features into keys and values, once: GarmDenoiser's own for F_hl, the extractor's for F_ll."""
        layers = project_hidden_states(self.unet, features.hidden_states)
        if features.image_tokens is not None:
            layers |= self.extractor.wardrobe_layers(self.unet, features.image_tokens)
        return Wardrobe(layers=layers, rows=tuple(range(features.items)), categories=features.categories)

    def encode(
        self,
        person_latents: Float[Tensor, "B C h w"],
        mask: Float[Tensor, "B 1 h w"],
        prompt_embeds: Float[Tensor, "B L D"],
        image_embeds: Float[Tensor, "B E"],
        categories: Sequence[str] = (),
    ) -> Wardrobe:
        """Encode photos as a wardrobe, each owning one row; the arguments are those of `extract`."""
        return self.project(self.extract(person_latents, mask, prompt_embeds, image_embeds, categories))

    def weights_hash(self) -> str:
        """Hash all of the model's weights: the stamp of the features that it makes."""
        parts = [self.garment_net, self.unet, self.extractor]
        digests = "".join("none" if part is None else hash_weights(part) for part in parts)
        return hashlib.sha256(digests.encode()).hexdigest()

    def load_wardrobe(self, path: Path | str) -> Wardrobe:
        """Read features stamped with this model's `weights_hash`, and project them once.

        Raises:
            ToileError: when the file cannot be read, or was made by other weights.
        """
        features = GarmentFeatures.load(path, self.weights_hash())
        return self.project(features.to(self.unet.device, self.unet.dtype))

    def denoise(
        self,
        latents: Float[Tensor, "B C h w"],
        timesteps: Int[Tensor, "..."],
        prompt_embeds: Float[Tensor, "B L D"],
        wardrobe: Wardrobe | None,
        correspondence: Correspondence | None = None,
    ) -> Float[Tensor, "B C h w"]:
        """Predict the noise (or the velocity) in latents; without a wardrobe, as the plain U-Net does."""
        arguments = {"wardrobe": wardrobe, "correspondence": correspondence}
        prediction: Tensor = self.unet(
            latents, timesteps, prompt_embeds, cross_attention_kwargs=arguments
        ).sample  # (B C h w)
        return prediction

    def guided(
        self,
        latents: Float[Tensor, "B C h w"],
        timestep: Int[Tensor, ""],
        prompt_embeds: Float[Tensor, "B L D"],
        null_prompt_embeds: Float[Tensor, "1 L D"],
        wardrobe: Wardrobe,
        guidance_scale: float,
    ) -> Float[Tensor, "B C h w"]:
        """Predict with guidance (Eq. 2) for B items; at scale 1 the conditional half is enough."""
        items = len(latents)
        if guidance_scale == 1:
            return self.denoise(latents, timestep, prompt_embeds, wardrobe.for_rows(range(items)))
        prompts = torch.cat([null_prompt_embeds.expand_as(prompt_embeds), prompt_embeds])  # (2B L D)
        both = wardrobe.for_rows(guided_rows(items))
        unconditional, conditional = self.denoise(torch.cat([latents] * 2), timestep, prompts, both).chunk(2)
        return guide(conditional, unconditional, guidance_scale)  # (B C h w)

    def forward(
        self,
        noisy: Float[Tensor, "B C h w"],
        timesteps: Int[Tensor, "B"],
        prompt_embeds: Float[Tensor, "B L D"],
        null_prompt_embeds: Float[Tensor, "1 L D"],
        person_latents: Float[Tensor, "B C h w"],
        mask: Float[Tensor, "B 1 h w"],
        image_embeds: Float[Tensor, "B E"],
        drop: Bool[Tensor, "B"],
        points: Float[Tensor, "B h w 2"] | None = None,
    ) -> IGRPrediction:
        """Predict the noise in training; rows in `drop` read the empty prompt and own no garment.

        Dropped rows are put first for the time being: the others are then one block, whatever was drawn.
        With `points` (see `Correspondence`) it says as well how far attention is from finding them.
        """
        order = drop.int().argsort(descending=True, stable=True)  # (B)
        dropped = int(drop.sum())
        kept = order[dropped:]
        prompts = torch.where(drop[:, None, None], null_prompt_embeds, prompt_embeds)[order]  # (B L D)
        wardrobe = None
        if len(kept):
            garments = self.encode(person_latents[kept], mask[kept], prompt_embeds[kept], image_embeds[kept])
            wardrobe = garments.for_rows((-1,) * dropped + tuple(range(len(kept))))
        watching = None if points is None else Correspondence(points=points[order])
        noise = self.denoise(noisy[order], timesteps[order], prompts, wardrobe, watching)  # (B C h w)
        if wardrobe is None:  # every trained weight takes part in every step, as several processes need it
            noise = noise + no_change(self)
        return IGRPrediction(
            noise=noise[order.argsort()], correspondence_loss=None if watching is None else watching.loss()
        )

    def enable_gradient_checkpointing(self) -> None:
        """Recompute activations in the backward pass: less memory, more time."""
        for unet in (self.garment_net, self.unet):
            if unet is not None:
                unet.enable_gradient_checkpointing()


def with_mask_channel(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """Copy a U-Net and give it one input channel more, for the mask, whose weights start at zero.

    Source: IGR, Section 3.2: GarmNet's input has 5 channels. Ours: the rest is copied, t = 0.
    """
    return with_input_channels(unet, unet.config["in_channels"] + 1)


def latent_mask(mask: Float[Tensor, "B 1 H W"], size: tuple[int, int]) -> Float[Tensor, "B 1 h w"]:
    """Resize a mask in [0, 1] to the latents' height and width, each value the mean of its pixels.

    Source: IGR, Section 3.2, m_resized. Ours: the mean, so that a border stays where it is.
    """
    return functional.interpolate(mask, size, mode="area")
