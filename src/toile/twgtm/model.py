"""TWGTM's model: two modules make a wardrobe of a reference picture, a two-panel U-Net reads it.

Legend: `B` batch, `C` latent channels, `I` = 2·C + 1 input channels, `H W` pixels of one panel, `h w` latent
pixels of one panel, `w2` = 2·w, `n C_l` tokens and channels of a level.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from toile.diffusion.correspondence import Correspondence
from toile.diffusion.guidance import guide, guided_rows
from toile.diffusion.layers import attention_layers, prepare_unet, project_hidden_states
from toile.errors import ToileError
from toile.twgtm.extended_attention import ExtendedAttention, Fusion, level_of
from toile.twgtm.panels import known_part
from toile.twgtm.reference import Reference
from toile.twgtm.semantic import SemanticAbstraction, SemanticFeatures
from toile.twgtm.spatial import SpatialFeatures, SpatialRefinement
from toile.twgtm.warp import WarpRegressor, warp
from toile.wardrobe import GarmentFeatures, Wardrobe, hash_weights


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a training step gets to see."""

    noise: Float[Tensor, "B C h w2"]
    """The predicted noise (or velocity) of both panels."""
    mask_logits: tuple[Float[Tensor, "B 1 y x"], ...]
    """The flat garment's silhouette before the sigmoid, of each TaskFormer unit (Eq. 10)."""
    correspondence_loss: Float[Tensor, ""] | None = None
    """How far self-attention is from finding the target's points in the reference; None without points."""
    warped: Float[Tensor, "B 3 H W"] | None = None
    """With one panel (Variant 2): the reference, warped onto the target's place."""


class TWGTMModel(nn.Module):
    """All of TWGTM that is trained; VAE and image encoder stay outside, frozen.

    Source: TWGTM, Fig. 2b.

    Args:
        unet: the two-panel denoiser, with 2·C + 1 input channels.
        semantic: the Semantic Abstraction Module.
        spatial: the Spatial Refinement Module.
        extended: keys and values for F_SRM; None with a fusion that needs none.
        fusion: how F_SRM reaches the U-Net.
        warp: warps the reference onto the target's place, where there is one panel alone (Variant 2).
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        semantic: SemanticAbstraction,
        spatial: SpatialRefinement,
        extended: ExtendedAttention | None,
        fusion: Fusion = "extended",
        warp: WarpRegressor | None = None,
    ) -> None:
        super().__init__()
        if (extended is None) != (fusion in ("concatenated", "none")):
            raise ToileError(f"fusion {fusion!r} goes {'with' if extended is None else 'without'} `extended`")
        self.unet = prepare_unet(unet)
        self.semantic, self.spatial, self.extended, self.fusion = semantic, spatial, extended, fusion
        self.warp = warp

    def extract(self, reference: Reference, categories: Sequence[str] = ()) -> GarmentFeatures:
        """Encode reference pictures as F_SAM (Eq. 4) and F_SRM (Eq. 12).

        Args:
            reference: the pictures, B of them.
            categories: what their texts say, to be kept with the features.
        """
        semantic = self.abstract(reference)
        levels: Sequence[Tensor] = ()
        if self.fusion != "none":
            levels = self.spatial(reference.picture, semantic.queries).levels  # (B n C_l) each
        return _features(semantic.sequence, levels, categories)

    def abstract(self, reference: Reference) -> SemanticFeatures:
        """Encode reference pictures as F_SAM and F_QF alone (Eq. 3 and 4)."""
        features: SemanticFeatures = self.semantic(
            reference.clip_tokens, reference.clip_embeds, reference.text, reference.text_mask
        )
        return features

    def project(self, features: GarmentFeatures) -> Wardrobe:
        """Turn features into keys and values, once; F_SAM goes along as the tokens that replace the text."""
        levels = list(features.hidden_states.values())
        layers = {}
        if levels and self.extended is not None:
            layers = self.extended.keys_and_values(levels)
        elif levels:
            names = attention_layers(self.unet, "attn1")
            layers = project_hidden_states(
                self.unet, {name: levels[level_of(self.unet, name)] for name in names}
            )
        return Wardrobe(
            layers=layers,
            tokens=features.image_tokens,
            rows=tuple(range(features.items)),
            categories=features.categories,
        )

    def encode(self, reference: Reference, categories: Sequence[str] = ()) -> Wardrobe:
        """Encode reference pictures as a wardrobe, each owning one row."""
        return self.project(self.extract(reference, categories))

    def silhouette(self, reference: Reference) -> Float[Tensor, "B 1 H W"]:
        """Predict the flat garment's silhouette from photos of its wearers, in [0, 1] (Eq. 10)."""
        queries = self.abstract(reference).queries
        features: SpatialFeatures = self.spatial(reference.picture, queries, decode=False)
        height, width = reference.picture.shape[-2:]
        return features.silhouette((height, width))

    def denoise(
        self,
        panel_input: Float[Tensor, "B I h w2"],
        timesteps: Int[Tensor, "..."],
        wardrobe: Wardrobe,
        correspondence: Correspondence | None = None,
    ) -> Float[Tensor, "B C h w2"]:
        """Predict the noise (or the velocity) in both panels.

        Args:
            panel_input: I_t, as `unet_input` makes it.
            timesteps: of each row, or one for all.
            wardrobe: what each row may look at.
            correspondence: in training, what watches self-attention.
        """
        arguments = {"wardrobe": wardrobe, "correspondence": correspondence}
        prediction: Tensor = self.unet(
            panel_input, timesteps, wardrobe.row_tokens(), cross_attention_kwargs=arguments
        ).sample
        return prediction  # (B C h 2w)

    def guided(
        self,
        panel_input: Float[Tensor, "B I h w2"],
        timestep: Int[Tensor, ""],
        wardrobe: Wardrobe,
        guidance_scale: float,
    ) -> Float[Tensor, "B C h w2"]:
        """Predict with guidance for B items; at scale 1 the conditional half is enough.

        Ours: F_SAM and F_SRM are dropped together; both panels stay.
        """
        items = len(panel_input)
        if guidance_scale == 1:
            return self.denoise(panel_input, timestep, wardrobe.for_rows(range(items)))
        both = wardrobe.for_rows(guided_rows(items))
        unconditional, conditional = self.denoise(torch.cat([panel_input] * 2), timestep, both).chunk(2)
        return guide(conditional, unconditional, guidance_scale)  # (B C h 2w)

    def forward(
        self,
        panel_input: Float[Tensor, "B I h w2"],
        timesteps: Int[Tensor, "B"],
        reference: Reference,
        drop: Bool[Tensor, "B"],
        spatial_attention: bool = True,
        target: Float[Tensor, "B 3 H W"] | None = None,
        repaint: Float[Tensor, "B 1 H W"] | None = None,
        points: Float[Tensor, "B h w2 2"] | None = None,
    ) -> Prediction:
        """Predict the noise in training, and each unit's silhouette.

        Dropped rows are put first for the time being: the others are then one block, whatever was drawn.

        Args:
            panel_input: I_t.
            timesteps: t of each row.
            reference: what each row may look at.
            drop: rows that lose F_SAM and F_SRM.
            spatial_attention: False leaves F_SRM out of the U-Net, as stage 1 does (Eq. 14).
            target: where there is one panel, the picture that the reference is warped for.
            repaint: likewise, 1 where it is to be generated.
            points: where on the canvas the target's points lie in the reference (see `Correspondence`).
        """
        order = drop.int().argsort(descending=True, stable=True)  # (B)
        ordered, dropped = reference.select(order), int(drop.sum())
        semantic = self.abstract(ordered)
        decode = spatial_attention and self.fusion != "none"
        spatial: SpatialFeatures = self.spatial(ordered.picture, semantic.queries, decode=decode)
        rows = (-1,) * dropped + tuple(range(dropped, len(drop)))
        wardrobe = self.project(_features(semantic.sequence, spatial.levels)).for_rows(rows)
        watching = None if points is None else Correspondence(points=points[order], beside=True)
        noise = self.denoise(panel_input[order], timesteps[order], wardrobe, watching)  # (B C h 2w)
        back = order.argsort()
        return Prediction(
            noise=noise[back],
            mask_logits=tuple(logits[back] for logits in spatial.silhouette_logits),
            correspondence_loss=None if watching is None else watching.loss(),
            warped=self.warped(target, repaint, reference.picture),
        )

    def warped(
        self,
        target: Float[Tensor, "B 3 H W"] | None,
        repaint: Float[Tensor, "B 1 H W"] | None,
        picture: Float[Tensor, "B 3 H W"],
    ) -> Float[Tensor, "B 3 H W"] | None:
        """Warp references to where the targets are to be generated (Variant 2); None where nothing warps."""
        if self.warp is None or repaint is None:
            return None
        return warp(picture, self.warp(known_part(target, repaint), repaint, picture))

    def enable_gradient_checkpointing(self) -> None:
        """Recompute activations in the backward pass: less memory, more time."""
        self.unet.enable_gradient_checkpointing()

    def weights_hash(self) -> str:
        """Hash all of the model's weights: the stamp of the features that it makes."""
        parts = [self.unet, self.semantic, self.spatial, self.extended, self.warp]
        digests = "".join("none" if part is None else hash_weights(part) for part in parts)
        return hashlib.sha256(f"{self.fusion}{digests}".encode()).hexdigest()

    def load_wardrobe(self, path: Path | str) -> Wardrobe:
        """Read features stamped with this model's `weights_hash`, and project them once.

        Raises:
            ToileError: when the file cannot be read, or was made by other weights.
        """
        features = GarmentFeatures.load(path, self.weights_hash())
        return self.project(features.to(self.unet.device, self.unet.dtype))


def _features(sequence: Tensor, levels: Sequence[Tensor], categories: Sequence[str] = ()) -> GarmentFeatures:
    states = {f"level_{number}": tokens for number, tokens in enumerate(levels)}
    return GarmentFeatures(hidden_states=states, image_tokens=sequence, categories=tuple(categories))
