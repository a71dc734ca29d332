"""IGR as a diffusers pipeline: from photos of people to the flat garments that they wear.

Legend: `B` batch, `C` latent channels, `H W` pixels, `h w` latent pixels, `L D` text tokens and their width,
`E` width of the image embedding.
"""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import AutoencoderKL, ImagePipelineOutput, SchedulerMixin, UNet2DConditionModel
from jaxtyping import Float
from torch import Tensor
from transformers import BaseImageProcessor, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.diffusion.image_prompt import LowLevelExtractor, garment_crop
from toile.diffusion.photos import Picture, prepare_photos, repeated
from toile.diffusion.pipeline import PhotoPipeline
from toile.diffusion.stable_diffusion import StableDiffusionParts
from toile.diffusion.system_pipeline import StepEnd
from toile.errors import ToileError
from toile.igr.model import CATEGORY_PROMPTS, IGRModel, latent_mask
from toile.wardrobe import Wardrobe


class IGRPipeline(PhotoPipeline):
    """Restores the flat garment, on white, from a photo of a person who wears it.

    Source: IGR (arXiv 2412.11513), Fig. 3.

    Args:
        vae: of the base model.
        text_encoder: of the base model; reads the category prompt.
        tokenizer: of the text encoder.
        image_encoder: CLIP's, with its projection; sees the masked crop of the garment.
        feature_extractor: its mean and deviation prepare that crop.
        garment_net: GarmNet, one input channel more than `unet`; None is the ablation without it.
        unet: GarmDenoiser.
        low_level_extractor: turns the image embedding into tokens, keys and values.
        scheduler: DDIM in the paper.
        size: (height, width) in pixels that the model works at when it is told nothing else; kept in
            `model_index.json`. None takes it from the U-Net's `sample_size`.
        num_inference_steps: denoising steps that it takes likewise, kept there too; None is the usual 25.
    """

    system = "igr"
    trained_parts = ("garment_net", "unet", "low_level_extractor")
    model_cpu_offload_seq = "text_encoder->image_encoder->garment_net->low_level_extractor->unet->vae"
    _optional_components = ["garment_net"]  # noqa: RUF012, a plain list is what diffusers reads
    _callback_tensor_inputs = ("latents", "prompt_embeds")

    def __init__(
        self,
        vae: AutoencoderKL,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        image_encoder: CLIPVisionModelWithProjection,
        feature_extractor: BaseImageProcessor,
        garment_net: UNet2DConditionModel | None,
        unet: UNet2DConditionModel,
        low_level_extractor: LowLevelExtractor,
        scheduler: SchedulerMixin,
        size: Sequence[int] | None = None,
        num_inference_steps: int | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            image_encoder=image_encoder,
            feature_extractor=feature_extractor,
            garment_net=garment_net,
            unet=unet,
            low_level_extractor=low_level_extractor,
            scheduler=scheduler,
        )
        self.keep(size, num_inference_steps)

    @classmethod
    def from_parts(
        cls, parts: StableDiffusionParts, model: IGRModel, size: Sequence[int] | None = None
    ) -> "IGRPipeline":
        """Put a pipeline around a model, which it shares, and the frozen parts."""
        return cls(
            vae=parts.vae,
            text_encoder=parts.text_encoder,
            tokenizer=parts.tokenizer,
            image_encoder=parts.image_encoder,
            feature_extractor=parts.feature_extractor,
            garment_net=model.garment_net,
            unet=model.unet,
            low_level_extractor=model.extractor,
            scheduler=parts.scheduler,
            size=size,
        )

    @property
    def igr(self) -> IGRModel:
        """The model that the components make up."""
        return IGRModel(garment_net=self.garment_net, unet=self.unet, extractor=self.low_level_extractor)

    @torch.no_grad()
    def __call__(
        self,
        person: Picture | Sequence[Picture] | None = None,
        mask: Picture | Sequence[Picture | None] | None = None,
        category: str | Sequence[str] = "upper",
        num_inference_steps: int | None = None,
        guidance_scale: float = 1.5,
        height: int | None = None,
        width: int | None = None,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Float[Tensor, "B C h w"] | None = None,
        wardrobe: Wardrobe | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> Any:
        """Restore garments.

        Args:
            person: one photo or several: PIL, or uint8 RGB; any size, they are fitted and padded with white.
            mask: of each photo, of its size, white where the garment is; None takes the whole photo.
            category: `upper`, `lower` or `dress`, one for all or one a photo.
            num_inference_steps: steps of the scheduler; None takes the model's own, or the usual 25.
            guidance_scale: s of Eq. 2; at 1 the unconditional prediction is not computed.
            height: of the canvas that is worked at and returned, in pixels.
            width: likewise.
            generator: one a photo, so that no result depends on others; a single one serves them in turn.
            latents: noise to start from, instead of a generator's.
            wardrobe: garments that `encode_garment` encoded, instead of photos.
            output_type: `pil`, `np` and `pt` (both in [0, 1]), or `latent`.
            return_dict: False returns a plain tuple.
            callback_on_step_end: called as callback(pipeline, step, timestep, tensors); what it returns of
                the tensors is used from there on.
            callback_on_step_end_tensor_inputs: which tensors it gets: `latents`, `prompt_embeds`.

        Returns:
            An `ImagePipelineOutput`, whose `images` are PIL pictures or what `output_type` says.

        Raises:
            ToileError: when the arguments do not fit together.
        """
        steps = self.check_call(num_inference_steps, output_type, callback_on_step_end_tensor_inputs)
        size = self.check_size(height, width)
        if wardrobe is None:
            wardrobe = self.encode_garment(person, mask, category, *size)
        prompt_embeds = self.encode_categories(wardrobe.categories or repeated(category, wardrobe.items))
        latents = self.prepare_latents(wardrobe.items, size, generator, latents)
        latents = self.denoise(
            latents,
            wardrobe,
            prompt_embeds,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            callback=callback_on_step_end,
            callback_inputs=callback_on_step_end_tensor_inputs,
        )
        images = self.decode(latents, output_type)
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images=images) if return_dict else (images,)

    @torch.no_grad()
    def encode_garment(
        self,
        person: Picture | Sequence[Picture] | None,
        mask: Picture | Sequence[Picture | None] | None = None,
        category: str | Sequence[str] = "upper",
        height: int | None = None,
        width: int | None = None,
    ) -> Wardrobe:
        """Encode the garments of photos once, for many restorations; the arguments are those of a call."""
        photos = prepare_photos(person, mask, self.check_size(height, width))
        pictures, masks = (tensor.to(self._execution_device) for tensor in photos)  # (B 3 H W), (B 1 H W)
        categories = repeated(category, len(pictures))
        person_latents = self.encode_pictures(pictures)  # (B C h w)
        height, width = person_latents.shape[-2:]
        return self.igr.encode(
            person_latents,
            latent_mask(masks, (height, width)).to(person_latents.dtype),  # (B 1 h w)
            self.encode_categories(categories),
            self.embed_crops(pictures, masks),
            categories=categories,
        )

    def embed_crops(
        self, pictures: Float[Tensor, "B 3 H W"], masks: Float[Tensor, "B 1 H W"]
    ) -> Float[Tensor, "B E"]:
        """Embed the masked crops of the garments with CLIP."""
        side, prepared = self.image_encoder.config.image_size, self.feature_extractor
        crops = garment_crop(
            pictures, masks, side, prepared.image_mean, prepared.image_std
        )  # (B 3 side side)
        embeds: Tensor = self.image_encoder(crops.to(self.image_encoder.dtype)).image_embeds
        return embeds.to(self.unet.dtype)

    def encode_categories(self, categories: Sequence[str]) -> Float[Tensor, "B L D"]:
        """Embed the prompt of each category.

        Raises:
            ToileError: when there is no prompt for one.
        """
        for name in categories:
            if name not in CATEGORY_PROMPTS:
                raise ToileError(f"category {name!r} is unknown; write one of {', '.join(CATEGORY_PROMPTS)}")
        return self.encode_texts([CATEGORY_PROMPTS[name] for name in categories])

    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "B L D"]:
        """Embed texts; the empty one is the unconditional prompt."""
        tokens = self.tokenizer(list(texts), padding="max_length", truncation=True, return_tensors="pt")
        embeds: Tensor = self.text_encoder(tokens.input_ids.to(self._execution_device)).last_hidden_state
        return embeds.to(self.unet.dtype)

    def denoise(
        self,
        latents: Float[Tensor, "B C h w"],
        wardrobe: Wardrobe,
        prompt_embeds: Float[Tensor, "B L D"],
        *,
        num_inference_steps: int,
        guidance_scale: float = 1.5,
        callback: StepEnd | None = None,
        callback_inputs: Sequence[str] = ("latents",),
    ) -> Float[Tensor, "B C h w"]:
        """Go from noise to the latents of flat garments."""
        model, null_prompt = self.igr, self.encode_texts([""])  # (1 L D)

        def predict(scaled: Tensor, timestep: Tensor, tensors: dict[str, Tensor]) -> Tensor:
            prompt = tensors["prompt_embeds"]
            return model.guided(scaled, timestep, prompt, null_prompt, wardrobe, guidance_scale)

        conditions = {"prompt_embeds": prompt_embeds}
        return self.follow_schedule(
            latents, predict, conditions, num_inference_steps, callback, callback_inputs
        )
