"""AnyDressing as a diffusers pipeline: from garments and a prompt to somebody who wears them.

Legend: `B` pictures, `C` latent channels, `h w` latent pixels, `G` garments, `E` width of an image embedding.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from diffusers import (
    AutoencoderKL,
    SchedulerMixin,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from jaxtyping import Float
from torch import Tensor
from transformers import BaseImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.anydressing.dressing import PIPELINE, SCALE, SYSTEM, AnyDressing
from toile.anydressing.dressing_attention import DressingAttention
from toile.anydressing.garments_net import GarmentsNet
from toile.anydressing.model import AnyDressingModel
from toile.anydressing.outfits import Garments, Outfits, Weights, item_weights
from toile.anydressing.plug_in import install
from toile.anydressing.row_layout import check_outfits
from toile.diffusion.image_prompt import LowLevelExtractor, garment_crop
from toile.diffusion.photos import listed, prepare_pictures, repeated
from toile.diffusion.system_pipeline import SHARED_PARTS, StepEnd, SystemPipeline
from toile.errors import ToileError
from toile.wardrobe import Wardrobe, WardrobeLayer

Generators = torch.Generator | Sequence[torch.Generator]


@runtime_checkable
class FrozenParts(Protocol):
    """The frozen parts around the model: those of a Stable Diffusion, and of a CLIP image encoder if any."""

    @property
    def vae(self) -> AutoencoderKL:
        """Turns pictures into latents and back."""

    @property
    def text_encoder(self) -> CLIPTextModel:
        """Turns tokens into embeddings."""

    @property
    def tokenizer(self) -> CLIPTokenizer:
        """Turns text into tokens."""

    @property
    def scheduler(self) -> SchedulerMixin:
        """Steps from noise to latents."""

    @property
    def image_encoder(self) -> CLIPVisionModelWithProjection | None:
        """Embeds pictures, for IP-Adapter and the baseline of its kind."""

    @property
    def feature_extractor(self) -> BaseImageProcessor | None:
        """Prepares pictures for it."""


class AnyDressingPipeline(SystemPipeline, StableDiffusionPipeline):
    """Draws somebody who wears any number of given garments, and is otherwise as a prompt says.

    Source: AnyDressing (arXiv 2412.04146), Fig. 2. A `StableDiffusionPipeline` in everything else: its LoRAs,
    its IP-Adapters, its callbacks and its offloading.

    Args:
        vae: of the base model; encodes garments as well.
        text_encoder: of the base model.
        tokenizer: of the text encoder.
        unet: DressingNet, frozen.
        scheduler: DDIM in the paper.
        garments_net: GarmentsNet; None is the baseline that has a `low_level_extractor` instead.
        dressing_attention: W_k' and W_v'; None with it.
        low_level_extractor: the baseline's tokens of garments' CLIP embeddings; None is AnyDressing.
        image_encoder: CLIP's, with its projection, for that baseline and for IP-Adapters.
        feature_extractor: prepares pictures for it.
        safety_checker: none is bundled.
        requires_safety_checker: diffusers warns when there should be one.
        size: (height, width) in pixels that the model works at when it is told nothing else; kept in
            `model_index.json`. None takes it from the U-Net's `sample_size`.
        num_inference_steps: denoising steps that it takes likewise, kept there too; None is the usual 30.
    """

    system = SYSTEM
    trained_parts = ("garments_net", "dressing_attention", "low_level_extractor")
    shared_parts = {**SHARED_PARTS, "unet": UNet2DConditionModel}  # noqa: RUF012, a constant
    model_cpu_offload_seq = (
        "text_encoder->image_encoder->garments_net->dressing_attention->low_level_extractor->unet->vae"
    )
    _optional_components = [  # noqa: RUF012, a plain list is what diffusers reads
        "safety_checker",
        "feature_extractor",
        "image_encoder",
        "garments_net",
        "dressing_attention",
        "low_level_extractor",
    ]

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        garments_net: GarmentsNet | None = None,
        dressing_attention: DressingAttention | None = None,
        low_level_extractor: LowLevelExtractor | None = None,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        feature_extractor: BaseImageProcessor | None = None,
        safety_checker: torch.nn.Module | None = None,
        requires_safety_checker: bool = False,
        size: Sequence[int] | None = None,
        num_inference_steps: int | None = None,
    ) -> None:
        super().__init__(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=scheduler,
            safety_checker=safety_checker,
            feature_extractor=feature_extractor,
            image_encoder=image_encoder,
            requires_safety_checker=requires_safety_checker,
        )
        self.register_modules(
            garments_net=garments_net,
            dressing_attention=dressing_attention,
            low_level_extractor=low_level_extractor,
        )
        self.keep(size, num_inference_steps)

    @classmethod
    def from_parts(
        cls, parts: FrozenParts, model: AnyDressingModel, size: Sequence[int] | None = None
    ) -> "AnyDressingPipeline":
        """Put a pipeline around a model, which it shares, and the frozen parts."""
        return cls(
            vae=parts.vae,
            text_encoder=parts.text_encoder,
            tokenizer=parts.tokenizer,
            unet=model.unet,
            scheduler=parts.scheduler,
            garments_net=model.garments_net,
            dressing_attention=model.dressing_attention,
            low_level_extractor=model.extractor,
            image_encoder=parts.image_encoder,
            feature_extractor=parts.feature_extractor,
            size=size,
        )

    @property
    def anydressing(self) -> AnyDressingModel:
        """The model that the components make up."""
        return AnyDressingModel(
            self.unet, self.garments_net, self.dressing_attention, self.low_level_extractor
        )

    @property
    def dressing(self) -> AnyDressing:
        """What encodes garments: a plug-in for other pipelines too."""
        if self.garments_net is None or self.dressing_attention is None:
            raise ToileError(
                "this model has no GarmentsNet: it is the baseline that shows tokens of garments"
            )
        return AnyDressing(self.garments_net, self.dressing_attention, self.vae, self.default_size)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None = None,
        garments: Garments | Sequence[Garments] | None = None,
        negative_prompt: str | list[str] | None = None,
        num_images_per_prompt: int = 1,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float = 6.0,
        scale: float | None = None,
        weights: Weights | None = None,
        generator: Generators | None = None,
        latents: Float[Tensor, "B C h w"] | None = None,
        wardrobe: Wardrobe | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepEnd | PipelineCallback | MultiPipelineCallbacks | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
        cross_attention_kwargs: dict[str, Any] | None = None,
        **stable_diffusion: Any,
    ) -> Any:
        """Draw people who wear garments; the defaults are the paper's (Section 5.1).

        Args:
            prompt: who, where, in which pose; one or several.
            garments: pictures on white by their kinds, {"upper": picture, "lower": picture}, a list for
                several of a kind; one outfit for all prompts, or one for each. None draws by the prompt.
            negative_prompt: what not to draw; one or several.
            num_images_per_prompt: pictures drawn of each prompt.
            height: of the pictures that are drawn, in pixels.
            width: likewise.
            num_inference_steps: steps of the scheduler; None takes the model's own, or the usual 30.
            guidance_scale: ω of Eq. 16; at 1 the unconditional prediction is not computed.
            scale: λ of Eq. 6. None is 0.7, or what a given wardrobe has.
            weights: further weights by kind, as {"hat": 0.5}.
            generator: one a picture, so that no picture depends on others; a single one serves them in turn.
            latents: noise to start from, instead of a generator's.
            wardrobe: garments that `encode_garments` or `AnyDressing` encoded, instead of pictures.
            output_type: `pil`, `np` and `pt` (both in [0, 1]), or `latent`.
            return_dict: False returns a plain tuple.
            callback_on_step_end: called as callback(pipeline, step, timestep, tensors).
            callback_on_step_end_tensor_inputs: which tensors it gets.
            cross_attention_kwargs: further arguments of the attention layers, as a LoRA's {"scale": 0.5}.
            **stable_diffusion: whatever else a `StableDiffusionPipeline` takes: `ip_adapter_image`, `eta`...

        Returns:
            A `StableDiffusionPipelineOutput`, whose `images` are PIL pictures or what `output_type` says.

        Raises:
            ToileError: when the arguments do not fit together.
        """
        steps = self.check_call(num_inference_steps, output_type, callback_on_step_end_tensor_inputs)
        size = self.check_size(height, width)
        prompts = _count_prompts(prompt, stable_diffusion.get("prompt_embeds"))
        negative_prompts = None if negative_prompt is None else repeated(negative_prompt, prompts)
        generators = repeated(
            torch.default_generator if generator is None else generator, prompts * num_images_per_prompt
        )
        wardrobe = self._wardrobe(garments, wardrobe, scale, weights, size)
        arguments = dict(cross_attention_kwargs or {})
        if wardrobe is not None:
            check_outfits(len(wardrobe.rows), prompts, num_images_per_prompt)
            install(self, self.dressing_attention)
            arguments["wardrobe"] = wardrobe
        return super().__call__(
            prompt=None if prompt is None else listed(prompt),
            negative_prompt=negative_prompts,
            num_images_per_prompt=num_images_per_prompt,
            height=size[0],
            width=size[1],
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            generator=generators,
            latents=latents,
            output_type=output_type,
            return_dict=return_dict,
            cross_attention_kwargs=arguments or None,
            callback_on_step_end=_always_answering(callback_on_step_end),
            callback_on_step_end_tensor_inputs=list(callback_on_step_end_tensor_inputs),
            **stable_diffusion,
        )

    @torch.no_grad()
    def encode_garments(
        self,
        garments: Garments | Sequence[Garments],
        height: int | None = None,
        width: int | None = None,
        scale: float = SCALE,
        weights: Weights | None = None,
    ) -> Wardrobe:
        """Encode garments once, for many calls; the arguments are those of a call.

        Returns:
            A wardrobe with a row for each outfit.
        """
        size = self.check_size(height, width)
        if self.low_level_extractor is None:
            return self.dressing.dress(garments, scale=scale, weights=weights, size=size)
        outfits = Outfits.of(garments)
        wardrobe = Wardrobe(
            layers=self._image_prompt(outfits, size),
            rows=outfits.rows,
            per_picture=True,
            categories=outfits.kinds,
        )
        return wardrobe.with_scale(scale, item_weights(outfits.kinds, weights or {}))

    def _image_prompt(self, outfits: Outfits, size: tuple[int, int]) -> dict[str, WardrobeLayer]:
        """The baseline's keys and values, as IP-Adapter has them."""
        encoder, extractor = self.image_encoder, self.low_level_extractor
        pictures = prepare_pictures(outfits.pictures, size).to(self._execution_device)  # (G 3 H W)
        views = garment_crop(pictures, torch.ones_like(pictures[:, :1]), encoder.config.image_size)
        embeds = encoder(views.to(encoder.dtype)).image_embeds.to(extractor.dtype)  # (G E)
        layers: dict[str, WardrobeLayer] = extractor.wardrobe_layers(self.unet, extractor(embeds))
        return layers

    def prepare_latents(
        self,
        batch_size: int,
        num_channels_latents: int,
        height: int,
        width: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: Generators | None,
        latents: Tensor | None = None,
    ) -> Float[Tensor, "B C h w"]:
        """The noise that each picture starts from, drawn in float32: every kind of number gets the same.

        Raises:
            ToileError: when `latents` have another shape.
        """
        factor = self.vae_scale_factor
        shape = (batch_size, num_channels_latents, height // factor, width // factor)
        if latents is not None and tuple(latents.shape) != shape:
            raise ToileError(f"latents have the shape {tuple(latents.shape)}; here it must be {shape}")
        noise: Tensor = super().prepare_latents(
            batch_size, num_channels_latents, height, width, torch.float32, device, generator, latents
        )
        return noise.to(dtype)

    def _wardrobe(
        self,
        garments: Garments | Sequence[Garments] | None,
        wardrobe: Wardrobe | None,
        scale: float | None,
        weights: Weights | None,
        size: tuple[int, int],
    ) -> Wardrobe | None:
        """What is worn in a call."""
        if wardrobe is None:
            if garments is None:
                return None
            return self.encode_garments(garments, *size, SCALE if scale is None else scale, weights)
        if garments is not None:
            raise ToileError("garments and a wardrobe were given; give one of them, or encode all together")
        if scale is None and weights is None:
            return wardrobe
        return wardrobe.with_scale(
            SCALE if scale is None else scale, item_weights(wardrobe.categories, weights or {})
        )


def _count_prompts(prompt: str | list[str] | None, prompt_embeds: Tensor | None) -> int:
    if prompt is None:
        if prompt_embeds is None:
            raise ToileError("there is nothing to draw: give a prompt")
        return len(prompt_embeds)
    prompts = listed(prompt)
    if not prompts:
        raise ToileError("the list of prompts is empty; give at least one")
    return len(prompts)


def _always_answering(callback: Any) -> Any:
    """The same callback, which may give nothing back: diffusers wants a dictionary."""
    if callback is None or isinstance(callback, (PipelineCallback, MultiPipelineCallbacks)):
        return callback

    def answering(*arguments: Any) -> dict[str, Tensor]:
        return callback(*arguments) or {}

    return answering


assert AnyDressingPipeline.__name__ == PIPELINE, "folders name the class that they were saved from"
