"""IGR as a diffusers pipeline: from photos of people to the flat garments that they wear.

Legend: `B` batch, `C` latent channels, `H W` pixels, `h w` latent pixels, `L D` text tokens and their width,
`E` width of the image embedding.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    ImagePipelineOutput,
    SchedulerMixin,
    UNet2DConditionModel,
)
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    BaseImageProcessor,
    CLIPImageProcessorPil,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from toile.bundled import check_weights, find_model
from toile.diffusion.image_prompt import LowLevelExtractor, garment_crop
from toile.diffusion.noise import item_noise
from toile.diffusion.stable_diffusion import StableDiffusionParts, load_part
from toile.errors import ToileError
from toile.igr.inputs import PHOTOS, Picture, check_call, check_size, prepare_photos, repeated
from toile.igr.model import CATEGORY_PROMPTS, IGRModel, latent_mask
from toile.wardrobe import Wardrobe

LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError)
"""What diffusers and transformers raise over files that are not what they should be."""

StepEnd = Callable[["IGRPipeline", int, Tensor, dict[str, Tensor]], dict[str, Tensor] | None]


class IGRPipeline(DiffusionPipeline):
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
    """

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
        self.register_to_config(size=None if size is None else list(size))
        self.vae_scale_factor = 2 ** (len(vae.config.block_out_channels) - 1)

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

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **kwargs: Any) -> "IGRPipeline":
        """Load a pipeline: `tiny` (bundled), a folder that `save_pretrained` wrote, or a hub name.

        Args:
            pretrained_model_name_or_path: which one.
            **kwargs: as for every diffusers pipeline; without a `torch_dtype` the weights become float32.

        Raises:
            ToileError: when there is no such model, or it is incomplete, damaged, or of another system.
        """
        name = pretrained_model_name_or_path
        folder, base = find_model(name, system="igr", pipeline=cls.__name__)
        dtype = kwargs.pop("dtype", None) or kwargs.pop("torch_dtype", None) or torch.float32
        if base is not None:
            kwargs = _load_shared(base, dtype) | kwargs
        kwargs = {"use_safetensors": True} | kwargs  # nothing is ever unpickled
        try:
            loaded: IGRPipeline = super().from_pretrained(str(folder or name), dtype=dtype, **kwargs)
        except LOADING_ERRORS as error:
            reason = " ".join(str(error).split())[:300]
            raise ToileError(f"model {name} cannot be loaded: {reason}") from error
        if folder is not None:
            for part in ("garment_net", "unet", "low_level_extractor"):
                check_weights(folder / part, getattr(loaded, part))
        return loaded

    @property
    def igr(self) -> IGRModel:
        """The model that the components make up."""
        return IGRModel(garment_net=self.garment_net, unet=self.unet, extractor=self.low_level_extractor)

    @property
    def default_size(self) -> tuple[int, int]:
        """(height, width) in pixels that the model works at when it is told nothing else."""
        if self.config["size"] is not None:
            height, width = self.config["size"]
            return int(height), int(width)
        sample = self.unet.config["sample_size"]
        height, width = (sample, sample) if isinstance(sample, int) else sample
        return height * self.vae_scale_factor, width * self.vae_scale_factor

    @torch.no_grad()
    def __call__(
        self,
        person: Picture | Sequence[Picture] | None = None,
        mask: Picture | Sequence[Picture | None] | None = None,
        category: str | Sequence[str] = "upper",
        num_inference_steps: int = 25,
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
            num_inference_steps: steps of the scheduler.
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
        check_call(
            num_inference_steps, output_type, callback_on_step_end_tensor_inputs, self._callback_tensor_inputs
        )
        size = self.check_size(height, width)
        if wardrobe is None:
            wardrobe = self.encode_garment(person, mask, category, *size)
        prompt_embeds = self.encode_categories(wardrobe.categories or repeated(category, wardrobe.items))
        latents = self.prepare_latents(wardrobe.items, size, generator, latents)
        latents = self.denoise(
            latents,
            wardrobe,
            prompt_embeds,
            num_inference_steps=num_inference_steps,
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

    def check_size(self, height: int | None = None, width: int | None = None) -> tuple[int, int]:
        """The (height, width) to work at; what is not given is the model's own.

        Raises:
            ToileError: when the U-Net cannot halve it often enough.
        """
        own = self.default_size
        return check_size((height or own[0], width or own[1]), self.unet, self.vae_scale_factor)

    def encode_pictures(self, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Encode pictures in [-1, 1] as latents: the posterior's mode times the VAE's scaling factor."""
        posterior = self.vae.encode(pictures.to(self.vae.dtype)).latent_dist
        latents: Tensor = posterior.mode() * self.vae.config.scaling_factor
        return latents.to(self.unet.dtype)

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

    def prepare_latents(
        self,
        items: int,
        size: tuple[int, int],
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        latents: Float[Tensor, "B C h w"] | None = None,
    ) -> Float[Tensor, "B C h w"]:
        """The noise that each item starts from.

        Raises:
            ToileError: when there are not as many generators as items, or `latents` have another shape.
        """
        shape = (self.vae.config.latent_channels, *(side // self.vae_scale_factor for side in size))
        if latents is not None:
            if tuple(latents.shape) != (items, *shape):
                raise ToileError(
                    f"latents have the shape {tuple(latents.shape)}; here it must be {(items, *shape)}"
                )
            return latents.to(self._execution_device, self.unet.dtype)
        generators = repeated(torch.default_generator if generator is None else generator, items)
        return item_noise(generators, shape, self._execution_device, self.unet.dtype)

    def denoise(
        self,
        latents: Float[Tensor, "B C h w"],
        wardrobe: Wardrobe,
        prompt_embeds: Float[Tensor, "B L D"],
        *,
        num_inference_steps: int = 25,
        guidance_scale: float = 1.5,
        callback: StepEnd | None = None,
        callback_inputs: Sequence[str] = ("latents",),
    ) -> Float[Tensor, "B C h w"]:
        """Go from noise to the latents of flat garments."""
        model, null_prompt = self.igr, self.encode_texts([""])  # (1 L D)
        self.scheduler.set_timesteps(num_inference_steps, device=latents.device)
        latents = latents * self.scheduler.init_noise_sigma
        for index, timestep in enumerate(self.progress_bar(self.scheduler.timesteps)):
            scaled = self.scheduler.scale_model_input(latents, timestep)
            predicted = model.guided(scaled, timestep, prompt_embeds, null_prompt, wardrobe, guidance_scale)
            latents = self.scheduler.step(predicted, timestep, latents, return_dict=False)[0]
            if callback is not None:
                tensors = {"latents": latents, "prompt_embeds": prompt_embeds}
                given = {name: tensors[name] for name in callback_inputs}
                tensors |= callback(self, index, timestep, given) or {}
                latents, prompt_embeds = tensors["latents"], tensors["prompt_embeds"]
        return latents

    @torch.no_grad()
    def decode_latents(self, latents: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 3 H W"]:
        """Decode latents as pictures in [-1, 1]."""
        latents = (latents / self.vae.config.scaling_factor).to(self.vae.dtype)
        pictures: Tensor = self.vae.decode(latents).sample  # (B 3 H W)
        return pictures.float().clamp(-1, 1)

    def decode(self, latents: Float[Tensor, "B C h w"], output_type: str) -> Any:
        """Decode latents as a list of PIL pictures, or as `output_type` says."""
        if output_type == "latent":
            return latents
        return PHOTOS.postprocess(self.decode_latents(latents), output_type=output_type)


def _load_shared(base: Path, dtype: torch.dtype) -> dict[str, Any]:
    """The parts of a bundled system that lie in the folder that all of them share."""
    weights = {"dtype": dtype, "use_safetensors": True}
    return {
        "vae": load_part(AutoencoderKL, base, "vae", **weights),
        "text_encoder": load_part(CLIPTextModel, base, "text_encoder", **weights),
        "image_encoder": load_part(CLIPVisionModelWithProjection, base, "image_encoder", **weights),
        "tokenizer": load_part(CLIPTokenizer, base, "tokenizer"),
        "feature_extractor": load_part(CLIPImageProcessorPil, base, "feature_extractor"),
        "scheduler": load_part(DDIMScheduler, base, "scheduler"),
    }
