"""What the systems' pipelines have in common: loading, sizes, latents from pictures and back.

Legend: `B` batch, `C` latent channels, `H W` pixels, `h w` latent pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiffusionPipeline
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.bundled import find_model
from toile.diffusion.noise import item_noise
from toile.diffusion.photos import PHOTOS, repeated
from toile.diffusion.stable_diffusion import load_part
from toile.diffusion.weight_files import check_weights
from toile.errors import ToileError

LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError)
"""What diffusers and transformers raise over files that are not what they should be."""

SHARED_PARTS = {
    "vae": AutoencoderKL,
    "text_encoder": CLIPTextModel,
    "image_encoder": CLIPVisionModelWithProjection,
    "tokenizer": CLIPTokenizer,
    "feature_extractor": CLIPImageProcessorPil,
    "scheduler": DDIMScheduler,
}
"""The parts in the bundled folder that all bundled systems share."""

Predict = Callable[[Tensor, Tensor, dict[str, Tensor]], Tensor]
"""From scaled latents, a timestep and the loop's tensors to the prediction that a scheduler wants."""
StepEnd = Callable[[Any, int, Tensor, dict[str, Tensor]], dict[str, Tensor] | None]
"""A callback: from the pipeline, the step's number, the timestep and tensors to those that it changes."""

Loaded = TypeVar("Loaded", bound="PhotoPipeline")


class PhotoPipeline(DiffusionPipeline):
    """From pictures to pictures through a latent diffusion model; each system adds its parts and its tasks.

    A subclass has the components `vae`, `unet` and `scheduler`, and `size` in its configuration.
    """

    system: ClassVar[str]
    """The system's folder within the bundled weights."""
    trained_parts: ClassVar[tuple[str, ...]]
    """The components that are the system's own; their files must hold every weight."""

    @classmethod
    def from_pretrained(
        cls: type[Loaded], pretrained_model_name_or_path: str | Path, **kwargs: Any
    ) -> Loaded:
        """Load a pipeline: `tiny` (bundled), a folder that `save_pretrained` wrote, or a hub name.

        Args:
            pretrained_model_name_or_path: which one.
            **kwargs: as for every diffusers pipeline; without a `torch_dtype` the weights become float32.

        Raises:
            ToileError: when there is no such model, or it is incomplete, damaged, or of another system.
        """
        name = pretrained_model_name_or_path
        folder, base = find_model(name, system=cls.system, pipeline=cls.__name__)
        dtype = kwargs.pop("dtype", None) or kwargs.pop("torch_dtype", None) or torch.float32
        if folder is not None and base is not None:
            kwargs = cls._load_shared(folder, base, dtype) | kwargs
        kwargs = {"use_safetensors": True} | kwargs  # nothing is ever unpickled
        try:
            loaded: Loaded = super().from_pretrained(str(folder or name), dtype=dtype, **kwargs)
        except LOADING_ERRORS as error:
            reason = " ".join(str(error).split())[:300]
            raise ToileError(f"model {name} cannot be loaded: {reason}") from error
        if folder is not None:
            for part in cls.trained_parts:
                check_weights(folder / part, getattr(loaded, part))
        return loaded

    @classmethod
    def _load_shared(cls, folder: Path, base: Path, dtype: torch.dtype) -> dict[str, Any]:
        """The parts of a bundled system that it has not in its own folder, but in the one of all systems."""
        expected, _ = cls._get_signature_keys(cls)
        weights = {"dtype": dtype, "use_safetensors": True}
        loaded = {}
        for part, kind in SHARED_PARTS.items():
            if part in expected and not (folder / part).is_dir():
                options = weights if issubclass(kind, torch.nn.Module) else {}
                loaded[part] = load_part(kind, base, part, **options)
        return loaded

    @property
    def vae_scale_factor(self) -> int:
        """Pixels of a picture for one of its latents, each way."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def default_size(self) -> tuple[int, int]:
        """(height, width) in pixels that the model works at when it is told nothing else."""
        if self.config["size"] is not None:
            height, width = self.config["size"]
            return int(height), int(width)
        sample = self.unet.config["sample_size"]
        height, width = (sample, sample) if isinstance(sample, int) else sample
        return height * self.vae_scale_factor, width * self.vae_scale_factor

    def check_size(self, height: int | None = None, width: int | None = None) -> tuple[int, int]:
        """The (height, width) to work at; what is not given is the model's own.

        Raises:
            ToileError: when the U-Net cannot halve it often enough.
        """
        own = self.default_size
        size = height or own[0], width or own[1]
        unit = self.vae_scale_factor * 2 ** (len(self.unet.config["block_out_channels"]) - 1)
        if any(side < unit or side % unit for side in size):
            near = "×".join(str(max(1, round(side / unit)) * unit) for side in size)
            raise ToileError(
                f"size {size[0]}×{size[1]}: this model needs a height and a width that are multiples of "
                f"{unit}; take {near}"
            )
        return size

    def check_call(self, steps: int, output_type: str, callback_inputs: Sequence[str]) -> None:
        """Refuse arguments of a call that make no sense, before anything is computed.

        Raises:
            ToileError: naming the argument, its value, and what it may be.
        """
        if steps < 1:
            raise ToileError(f"num_inference_steps is {steps}; it must be at least 1")
        if output_type not in ("pil", "np", "pt", "latent"):
            raise ToileError(f"output_type {output_type!r} is unknown; write pil, np, pt or latent")
        for name in callback_inputs:
            if name not in self._callback_tensor_inputs:
                raise ToileError(
                    f"callback_on_step_end_tensor_inputs has {name!r}; it may have "
                    f"{', '.join(self._callback_tensor_inputs)}"
                )

    def encode_pictures(self, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Encode pictures in [-1, 1] as latents: the posterior's mode times the VAE's scaling factor."""
        posterior = self.vae.encode(pictures.to(self.vae.dtype)).latent_dist
        latents: Tensor = posterior.mode() * self.vae.config.scaling_factor
        return latents.to(self.unet.dtype)

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

    def follow_schedule(
        self,
        latents: Float[Tensor, "B C h w"],
        predict: Predict,
        conditions: Mapping[str, Tensor],
        num_inference_steps: int,
        callback: StepEnd | None = None,
        callback_inputs: Sequence[str] = ("latents",),
    ) -> Float[Tensor, "B C h w"]:
        """Go from unit noise to clean latents, as the scheduler says.

        Args:
            latents: the noise.
            predict: the model.
            conditions: tensors that the model reads at every step, and that a callback may change.
            num_inference_steps: how many steps.
            callback: called after each.
            callback_inputs: names of the tensors that it gets.
        """
        self.scheduler.set_timesteps(num_inference_steps, device=latents.device)
        tensors: dict[str, Tensor] = {"latents": latents * self.scheduler.init_noise_sigma, **conditions}
        for index, timestep in enumerate(self.progress_bar(self.scheduler.timesteps)):
            latents = tensors["latents"]
            predicted = predict(self.scheduler.scale_model_input(latents, timestep), timestep, tensors)
            tensors["latents"] = self.scheduler.step(predicted, timestep, latents, return_dict=False)[0]
            if callback is not None:
                given = {name: tensors[name] for name in callback_inputs}
                tensors |= callback(self, index, timestep, given) or {}
        return tensors["latents"]

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
