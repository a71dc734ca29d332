"""What TWGTM's U-Net does alike in its two tasks, layer by layer.

Legend: `B` batch, `C` channels, `y x` pixels of a feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from toile.data.record import GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion.noise import item_generators, item_noise
from toile.errors import ToileError
from toile.evaluation.similarity import feature_similarity, record_outputs, short_name, swapped_panels
from toile.twgtm.panels import full_repaint, panels, unet_input
from toile.twgtm.pipeline import TWGTMPipeline

Outputs = dict[str, Float[Tensor, "B C y x"]]


@dataclass(frozen=True, kw_only=True)
class TaskSimilarity:
    """How alike the outputs of blocks are in the two tasks."""

    names: tuple[str, ...]
    """The blocks, in the order in which they run."""
    matrix: Float[Tensor, "blocks blocks"]
    """Cosine similarity, rows trying on, columns taking off; NaN where two blocks differ in width."""


@torch.no_grad()
def task_similarity(
    pipeline: TWGTMPipeline,
    pairs: Sequence[GarmentPair],
    timestep: int = 30,
    seed: int = 0,
    swap: bool = True,
) -> TaskSimilarity:
    """Compare what each block puts out when a pair's garment is tried on and when it is taken off.

    Source: TWGTM, Fig. 1 (b), at "diffusion step T = 30". Ours: that is taken as t = 30 of 1000; both tasks
    are shown the same pairs with the same noise; taking off, nothing is known of the garment's place.

    Args:
        pipeline: with two panels.
        pairs: at least one; all are looked at as one batch.
        timestep: t, in [0, 1000).
        seed: of the noise.
        swap: exchange the panels of one task, so that the person is compared with the person.

    Raises:
        ToileError: when there is no pair, no such timestep, or the pipeline has one panel.
    """
    if not pairs or pipeline.warp is not None:
        raise ToileError("two tasks are compared on at least one pair, by a model with two panels")
    if not 0 <= timestep < pipeline.scheduler.config["num_train_timesteps"]:
        raise ToileError(f"timestep is {timestep}; it must lie in [0, 1000)")
    tensors = [pair_tensors(pair, pipeline.default_size) for pair in pairs]
    person, garment, mask = (
        torch.stack([item[name] for item in tensors]).to(pipeline.device).float() / 127.5 - 1
        for name in ("person", "garment", "mask")
    )
    mask, categories = mask / 2 + 0.5, [pair.category for pair in pairs]
    worn = _outputs(pipeline, person, garment, mask, categories, timestep, seed)
    flat = _outputs(pipeline, garment, person, full_repaint(mask), categories, timestep, seed)
    matrix = feature_similarity(worn, swapped_panels(flat) if swap else flat)
    return TaskSimilarity(names=tuple(short_name(name) for name in worn), matrix=matrix)


def _outputs(
    pipeline: TWGTMPipeline,
    target: Tensor,
    reference: Tensor,
    repaint: Tensor,
    categories: Sequence[str],
    timestep: int,
    seed: int,
) -> Outputs:
    made = panels(target, reference, repaint)
    if made.pictures is None:
        raise AssertionError("training's panels always have pictures")
    latents = pipeline.encode_pictures(made.pictures)  # (B C h ww)
    shape = (latents.shape[1], latents.shape[2], latents.shape[3])
    generators = item_generators([seed] * len(latents))
    noise = item_noise(generators, shape, latents.device, latents.dtype)
    time = torch.full((len(latents),), timestep, device=latents.device)  # (B)
    panel_input = unet_input(
        pipeline.scheduler.add_noise(latents, noise, time),
        pipeline.encode_pictures(made.guidance),
        made.known,
    )
    model = pipeline.twgtm
    wardrobe = model.encode(pipeline.look_at(reference, categories), categories)
    return record_outputs(pipeline.unet, lambda: model.denoise(panel_input, time, wardrobe))
