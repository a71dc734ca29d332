"""What is told of each denoising step, and how work is stopped between two of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image


class Cancelled(Exception):
    """Raised by whoever is told of a step, to stop the work there."""


@dataclass(frozen=True)
class Step:
    """One denoising step of a batch."""

    items: int
    """How many pictures made it."""
    preview: Callable[[], "list[Image.Image]"]
    """Decodes what is there by now, one picture an item; a pass of the VAE, so call it seldom."""


OnStep = Callable[[Step], object]


def no_steps(step: Step) -> None:
    """Listen to nothing."""


def step_end(on_step: OnStep, items: int) -> Callable[..., dict[str, Any]]:
    """The callback of a pipeline's call that tells of each step."""

    def told(pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        latents = tensors["latents"]
        on_step(Step(items=items, preview=lambda: _decoded(pipeline, latents)))
        return {}

    return told


def _decoded(pipeline: Any, latents: Any) -> "list[Image.Image]":
    from toile.diffusion.photos import PHOTOS
    from toile.diffusion.system_pipeline import decode_pictures

    if hasattr(pipeline, "decode"):  # a PhotoPipeline knows which part of its latents is the picture
        decoded: list[Image.Image] = pipeline.decode(latents, "pil")
        return decoded
    shown: list[Image.Image] = PHOTOS.postprocess(decode_pictures(pipeline.vae, latents), output_type="pil")
    return shown
