"""Which rows of a U-Net's batch belong to which picture, in diffusers' own pipelines.

A wardrobe that speaks of pictures (`per_picture`) is told its rows in each step, from what the pipeline that
is running says of itself. Nothing is guessed from the batch: it may divide by accident.
"""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType

from diffusers import (
    StableDiffusionAdapterPipeline,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionControlNetInpaintPipeline,
    StableDiffusionControlNetPAGInpaintPipeline,
    StableDiffusionControlNetPAGPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPAGImg2ImgPipeline,
    StableDiffusionPAGInpaintPipeline,
    StableDiffusionPAGPipeline,
    StableDiffusionPipeline,
)

from toile.errors import ToileError
from toile.wardrobe_rows import Owner

PIPELINES = (
    StableDiffusionPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionControlNetInpaintPipeline,
    StableDiffusionAdapterPipeline,
    StableDiffusionPAGPipeline,
    StableDiffusionPAGImg2ImgPipeline,
    StableDiffusionPAGInpaintPipeline,
    StableDiffusionControlNetPAGPipeline,
    StableDiffusionControlNetPAGInpaintPipeline,
)
"""Pipelines whose order of rows is known; one that derives from them counts if their own `__call__` runs."""

_DENOISING = frozenset(inspect.unwrap(pipeline.__call__).__code__ for pipeline in PIPELINES)


@dataclass(frozen=True, kw_only=True)
class RowLayout:
    """How a pipeline lays its pictures out as rows: groups of all pictures, one after another."""

    unconditional: bool
    """Whether classifier-free guidance puts a group in front, which owns nothing."""
    perturbed: bool
    """Whether perturbed-attention guidance puts a group behind, which owns what the pictures own."""
    images_per_prompt: int
    """How many pictures of a prompt are neighbours."""

    def owners(self, outfits: Sequence[Owner], batch: int) -> tuple[Owner, ...]:
        """Say what each row of the batch owns.

        Args:
            outfits: what a picture owns: one for all of them, one a prompt, or one a picture.
            batch: how many rows there are.

        Raises:
            ToileError: when there is another number of outfits, or the batch cannot be divided.
        """
        groups = 1 + self.unconditional + self.perturbed
        pictures, rest = divmod(batch, groups)
        prompts, odd = divmod(pictures, self.images_per_prompt)
        if rest or odd:
            raise ToileError(
                f"a batch of {batch} rows is not {groups} times {self.images_per_prompt} images a prompt; "
                "say which row wears what with wardrobe.for_rows(...)"
            )
        check_outfits(len(outfits), prompts, self.images_per_prompt)
        each = pictures // len(outfits)
        own = tuple(outfit for outfit in outfits for _ in range(each))
        return (-1,) * (pictures * self.unconditional) + own * (1 + self.perturbed)


def check_outfits(outfits: int, prompts: int, images_per_prompt: int) -> None:
    """Refuse a number of outfits that cannot be handed out.

    Raises:
        ToileError: when it is neither one, nor one a prompt, nor one an image.
    """
    if outfits not in (1, prompts, prompts * images_per_prompt):
        raise ToileError(
            f"{outfits} outfits do not fit {prompts} prompts with {images_per_prompt} images each; "
            "give one outfit for all, one a prompt, or one an image"
        )


def running_layout() -> RowLayout:
    """Find the layout of the pipeline that is calling the U-Net right now.

    Ours: it is looked for among the callers, since several pipelines may share one U-Net, and all but the one
    that runs hold what an earlier call left in them; some keep nothing of a call at all.

    Raises:
        ToileError: when none of `PIPELINES` is running.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in _DENOISING:
        frame = frame.f_back
    if frame is None:
        raise ToileError(
            "only Stable Diffusion pipelines of diffusers say which row of the batch is which picture; "
            "say it for others with wardrobe.for_rows(...), -1 for rows that wear nothing"
        )
    pipeline = frame.f_locals["self"]
    return RowLayout(
        unconditional=bool(pipeline.do_classifier_free_guidance),
        perturbed=bool(getattr(pipeline, "do_perturbed_attention_guidance", False)),
        images_per_prompt=frame.f_locals["num_images_per_prompt"] or 1,
    )
