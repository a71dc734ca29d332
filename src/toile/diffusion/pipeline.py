"""From pictures to pictures: what the pipelines of IGR and TWGTM have in common.

Legend: `B` batch, `C` latent channels, `H W` pixels, `h w` latent pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from toile.diffusion.noise import item_noise
from toile.diffusion.photos import PHOTOS, repeated
from toile.diffusion.system_pipeline import (
    StepEnd,
    SystemPipeline,
    decode_pictures,
    encode_pictures,
    pixels_per_latent,
)
from toile.errors import ToileError

Predict = Callable[[Tensor, Tensor, dict[str, Tensor]], Tensor]
"""From scaled latents, a timestep and the loop's tensors to the prediction that a scheduler wants."""


class PhotoPipeline(SystemPipeline):
    """From pictures to pictures through a latent diffusion model; each system adds its parts and its tasks.

    A subclass has the components `vae`, `unet` and `scheduler`, and `size` in its configuration.
    """

    @property
    def vae_scale_factor(self) -> int:
        """Pixels of a picture for one of its latents, each way."""
        return pixels_per_latent(self.vae)

    def encode_pictures(self, pictures: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Encode pictures in [-1, 1] as latents: the posterior's mode times the VAE's scaling factor."""
        return encode_pictures(self.vae, pictures).to(self.unet.dtype)

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

    def decode_latents(self, latents: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 3 H W"]:
        """Decode latents as pictures in [-1, 1]."""
        return decode_pictures(self.vae, latents)

    def decode(self, latents: Float[Tensor, "B C h w"], output_type: str) -> Any:
        """Decode latents as a list of PIL pictures, or as `output_type` says."""
        if output_type == "latent":
            return latents
        return PHOTOS.postprocess(self.decode_latents(latents), output_type=output_type)
