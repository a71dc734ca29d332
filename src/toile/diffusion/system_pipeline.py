"""What the systems' pipelines have in common, whatever pipeline they build on: loading and sizes.

Legend: `B` batch, `C` latent channels, `H W` pixels, `h w` latent pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiffusionPipeline
from huggingface_hub.errors import RepositoryNotFoundError
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from toile.bundled import USUAL_STEPS, find_model
from toile.diffusion.stable_diffusion import load_part
from toile.diffusion.weight_files import check_weights
from toile.errors import ToileError

LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError)
"""What diffusers and transformers raise over files that are not what they should be."""

SHARED_PARTS: Mapping[str, type] = {
    "vae": AutoencoderKL,
    "text_encoder": CLIPTextModel,
    "image_encoder": CLIPVisionModelWithProjection,
    "tokenizer": CLIPTokenizer,
    "feature_extractor": CLIPImageProcessorPil,
    "scheduler": DDIMScheduler,
}
"""The parts in the bundled folder that all bundled systems share."""

StepEnd = Callable[[Any, int, Tensor, dict[str, Tensor]], dict[str, Tensor] | None]
"""A callback: from the pipeline, the step's number, the timestep and tensors to those that it changes."""

Loaded = TypeVar("Loaded", bound="SystemPipeline")


class SystemPipeline(DiffusionPipeline):
    """A system's pipeline: components `vae` and `unet`, `size` and `num_inference_steps` as configuration."""

    system: ClassVar[str]
    """The system's folder within the bundled weights."""
    trained_parts: ClassVar[tuple[str, ...]]
    """The components that are the system's own; their files must hold every weight."""
    shared_parts: ClassVar[Mapping[str, type]] = SHARED_PARTS
    """The components that a bundled system may take from the folder of all systems."""

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
            raise unloadable(str(name), folder, error) from error
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
        for part, kind in cls.shared_parts.items():
            if part in expected and not (folder / part).is_dir():
                options = weights if issubclass(kind, torch.nn.Module) else {}
                loaded[part] = load_part(kind, base, part, **options)
        return loaded

    def keep(self, size: Sequence[int] | None, num_inference_steps: int | None, **further: Any) -> None:
        """Take down, for `model_index.json`, how the model works when it is told nothing else."""
        kept_size = None if size is None else list(size)
        self.register_to_config(size=kept_size, num_inference_steps=num_inference_steps, **further)

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

    def check_steps(self, steps: int | None = None) -> int:
        """The denoising steps to take; None is the model's own number, or the system's usual one.

        Raises:
            ToileError: when it is none at all.
        """
        if steps is None:
            own = self.config["num_inference_steps"]
            steps = USUAL_STEPS[self.system] if own is None else int(own)
        if steps < 1:
            raise ToileError(f"num_inference_steps is {steps}; it must be at least 1")
        return steps

    def check_call(self, steps: int | None, output_type: str, callback_inputs: Sequence[str]) -> int:
        """Refuse arguments of a call that make no sense, before anything is computed.

        Returns:
            The denoising steps to take (`check_steps`).

        Raises:
            ToileError: naming the argument, its value, and what it may be.
        """
        taken = self.check_steps(steps)
        if output_type not in ("pil", "np", "pt", "latent"):
            raise ToileError(f"output_type {output_type!r} is unknown; write pil, np, pt or latent")
        for name in callback_inputs:
            if name not in self._callback_tensor_inputs:
                raise ToileError(
                    f"callback_on_step_end_tensor_inputs has {name!r}; it may have "
                    f"{', '.join(self._callback_tensor_inputs)}"
                )
        return taken


def unloadable(name: str, folder: Path | None, error: Exception) -> ToileError:
    """Why a model cannot be loaded, in one line; of one of the hub, what the hub or the way there said."""
    if folder is not None:
        return ToileError(f"model {name} cannot be loaded: {' '.join(str(error).split())[:300]}")
    cause = error.__cause__ or error
    said = (str(cause).strip() or type(cause).__name__).splitlines()[0].split(". ")[0].rstrip(".")
    reason = "it has none of that name" if isinstance(cause, RepositoryNotFoundError) else said
    return ToileError(
        f"model {name} is no folder here and cannot be had from the hub ({reason}); check the name and the "
        "connection, or give a folder"
    )


def pixels_per_latent(vae: AutoencoderKL) -> int:
    """Pixels of a picture for one of its latents, each way."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))


def encode_pictures(vae: AutoencoderKL, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
    """Encode pictures in [-1, 1] as latents: the posterior's mode times the VAE's scaling factor."""
    posterior = vae.encode(pictures.to(vae.dtype)).latent_dist
    latents: Tensor = posterior.mode() * vae.config.scaling_factor
    return latents


@torch.no_grad()
def decode_pictures(vae: AutoencoderKL, latents: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 3 H W"]:
    """Decode latents as pictures in [-1, 1]: what `encode_pictures` does, the other way."""
    pictures: Tensor = vae.decode((latents / vae.config.scaling_factor).to(vae.dtype)).sample  # (B 3 H W)
    return pictures.float().clamp(-1, 1)
