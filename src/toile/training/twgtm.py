"""Training TWGTM: both directions of every pair, in two stages.

What does not depend on chance is encoded once; h_f of a garment that is taken off in stage 2 depends on a
rectangle that is drawn in the step, and is encoded there.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from toile.data.latent_cache import Encodings
from toile.data.readable import ReadablePairs
from toile.data.record import CATEGORIES
from toile.data.tensors import pair_tensors
from toile.diffusion.noise import item_generators
from toile.training.base import fixed_noise_loss
from toile.training.loop import train
from toile.training.pairs import RunPairs, open_run_pairs
from toile.training.pictures import tile
from toile.training.prepared import encode_latents, encoding_device, latent_size, prepare, to_signed
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.training.twgtm_start import load_twgtm, start_from
from toile.training.two_way_pairs import Batch, TwoWayEncoder, TwoWayPairs
from toile.twgtm.model import TWGTMModel
from toile.twgtm.objective import ObjectiveSettings, twgtm_loss
from toile.twgtm.panels import (
    Panels,
    full_repaint,
    panels,
    rectangle_repaint,
    stage1_repaint,
)
from toile.twgtm.parts import TWGTMParts
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.recipes import TWGTMRecipe
from toile.twgtm.reference import Reference, make_reference, reference_of
from toile.twgtm.warp import one_panel

SHOWN = 5
"""How many unseen pairs a sample picture shows."""
JUDGED = 64
"""How many unseen pairs the silhouette's IoU is measured on."""


class TWGTMTask:
    """Predict the noise of both panels, and in stage 1 the flat garment's silhouette (Eq. 14 to 16)."""

    name = "twgtm"

    def __init__(
        self,
        recipe: TWGTMRecipe,
        model: TWGTMModel,
        parts: TWGTMParts,
        data: Dataset[Batch],
        unseen: TwoWayPairs,
        device: str = "cpu",
    ) -> None:
        """Keep the frozen parts, on `device`."""
        self.recipe, self.model, self.parts = recipe, model, parts
        self.dataset, self.unseen = data, unseen
        self.encoder = TwoWayEncoder(parts, recipe.size, recipe.stage, device)
        self.settings = ObjectiveSettings(
            drop_probability=recipe.drop_probability,
            spatial_attention=recipe.stage == 2,
            mask_weight=recipe.mask_weight,
            dice_weight=recipe.dice_weight,
            bce_weight=recipe.bce_weight,
            timestep_shift=recipe.timestep_shift,
            correspondence_weight=recipe.correspondence_weight,
        )

    def loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Eq. 14 in stage 1, Eq. 16 in stage 2, and what the recipe adds to it."""
        prepared = self.prepare(batch, generator)
        return twgtm_loss(model, prepared, self.parts.scheduler, generator, self.settings)

    def _plain_loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Eq. 14 or 16 alone, which compares whatever a recipe adds."""
        plain = replace(self.settings, timestep_shift=1.0, correspondence_weight=0.0)
        prepared = self.prepare(batch, generator)
        return twgtm_loss(model, prepared, self.parts.scheduler, generator, plain)

    @torch.no_grad()
    def prepare(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Turn pictures into what `twgtm_loss` reads: panels, their latents, and the reference."""
        person, garment = to_signed(batch["person"]), to_signed(batch["garment"])  # (B 3 H W)
        mask, silhouette = batch["mask"].float() / 255, batch["silhouette"].float() / 255  # (B 1 H W)
        off = batch["taking_off"][:, None, None, None]  # (B 1 1 1)
        repaint = torch.where(off, self._place_of_garment(silhouette, generator), mask)
        target, picture = torch.where(off, garment, person), torch.where(off, person, garment)
        made = self._panels(target, picture, repaint)
        latents = self._latents(batch, made)
        return {
            "target_latents": latents[0],
            "guidance_latents": latents[1],
            "known": made.known,
            "taking_off": batch["taking_off"],
            **({"points": batch["points"]} if "points" in batch else {}),
            "silhouette": silhouette,
            "target": target,
            "repaint": repaint,
            **vars(self._reference(batch, picture)),
        }

    def _latents(self, batch: Batch, made: Panels) -> tuple[Tensor, Tensor]:
        """The latents of h_i and of h_f, as far as they were not encoded before."""
        if "target_latents" not in batch:
            both = torch.cat([cast(Tensor, made.pictures), made.guidance])
            target, guidance = encode_latents(self.encoder.vae, both).chunk(2)
            return target, guidance
        guidance, rows = batch["guidance_latents"], batch["taking_off"].nonzero().flatten()
        if self.recipe.stage == 2 and len(rows):
            fresh = encode_latents(self.encoder.vae, made.guidance[rows])
            guidance = guidance.index_copy(0, rows, fresh.to(guidance))
        return batch["target_latents"], guidance

    def _reference(self, batch: Batch, picture: Float[Tensor, "B 3 H W"]) -> Reference:
        encoder, tokenizer = self.encoder, self.parts.tokenizer
        categories = [CATEGORIES[number] for number in batch["category"].tolist()]
        if "clip_tokens" not in batch:
            return make_reference(
                picture, categories, encoder.image_encoder, encoder.feature_extractor, tokenizer
            )
        return reference_of(picture, (batch["clip_tokens"], batch["clip_embeds"]), categories, tokenizer)

    def _place_of_garment(
        self, silhouette: Float[Tensor, "B 1 H W"], generator: torch.Generator
    ) -> Float[Tensor, "B 1 H W"]:
        """Where the flat garment is generated: its silhouette, a rectangle, or now and then everywhere."""
        if self.recipe.stage == 1:
            return stage1_repaint(silhouette)
        place = rectangle_repaint(silhouette, generator)
        everywhere = self._draw_everywhere(len(place), generator).to(place.device)
        return torch.where(everywhere[:, None, None, None], full_repaint(place), place)

    def _draw_everywhere(self, count: int, generator: torch.Generator) -> Bool[Tensor, "B"]:
        draws = torch.rand(count, generator=generator, device=generator.device)
        return draws < self.recipe.full_mask_probability

    def _panels(self, target: Tensor, picture: Tensor, repaint: Tensor) -> Panels:
        warped = self.model.warped(target, repaint, picture)
        return panels(target, picture, repaint) if warped is None else one_panel(target, warped, repaint)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The loss on unseen pairs with the same noise each time, and how well silhouettes are predicted."""
        figures = {"unseen_loss": fixed_noise_loss(self._plain_loss, model, self.unseen)}
        if self.recipe.tasks != "try_on":
            figures["silhouette_iou"] = self._silhouette_iou(cast(TWGTMModel, model))
        return figures

    def _silhouette_iou(self, model: TWGTMModel) -> float:
        """Mean intersection over union of predicted and true silhouettes, cut at one half."""
        scores = []
        device = next(model.parameters()).device
        for items in _batched(self._taken_off(JUDGED), 16):
            batch = {name: value.to(device) for name, value in default_collate(items).items()}
            reference = self._reference(batch, to_signed(batch["person"]))
            predicted, true = model.silhouette(reference) > 0.5, batch["silhouette"] > 127
            both, either = (predicted & true).sum((1, 2, 3)), (predicted | true).sum((1, 2, 3))
            scores += (both / either.clamp(min=1)).tolist()
        return sum(scores) / max(len(scores), 1)

    def _taken_off(self, most: int) -> Iterable[Batch]:
        items = (self.unseen[index] for index in range(len(self.unseen)))
        return islice((item for item in items if item["taking_off"]), most)

    def sample(self, model: nn.Module) -> Image.Image:
        """Unseen persons, their garments, what is tried on, and what is taken off."""
        pipeline, pairs = self.pipeline(self._as_trained(model)), list(self.unseen.pairs[:SHOWN])
        people, garments = [pair.person for pair in pairs], [pair.garment for pair in pairs]
        categories = [pair.category for pair in pairs]
        masks, drawn = [pair.mask for pair in pairs], []
        if self.recipe.tasks != "take_off":
            noise = item_generators(range(len(pairs)))
            drawn.append(
                pipeline.try_on(people, garments, masks, categories, generator=noise, output_type="pt")
            )
        if self.recipe.tasks != "try_on":
            noise = item_generators(range(len(pairs)))
            drawn.append(pipeline.take_off(people, categories, generator=noise, output_type="pt"))
        tensors = [pair_tensors(pair, self.recipe.size) for pair in pairs]
        given = [to_signed(torch.stack([item[name] for item in tensors])) for name in ("person", "garment")]
        return tile([*given, *(output.images.cpu() * 2 - 1 for output in drawn)])

    def _as_trained(self, model: nn.Module) -> TWGTMModel:
        """The same weights without what stage 1 does not train: F_SRM stays out of the U-Net."""
        whole = cast(TWGTMModel, model)
        if self.recipe.stage == 2:
            return whole
        return TWGTMModel(whole.unet, whole.semantic, whole.spatial, None, "none", whole.warp)

    def pipeline(self, model: nn.Module) -> TWGTMPipeline:
        """The pipeline around a model in training."""
        pipeline = TWGTMPipeline.from_parts(self.parts, cast(TWGTMModel, model), self.recipe.size)
        pipeline.register_to_config(num_inference_steps=self.recipe.num_inference_steps)
        pipeline.set_progress_bar_config(disable=True)
        moved: TWGTMPipeline = pipeline.to(next(model.parameters()).device)
        return moved

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the whole pipeline in diffusers layout."""
        self.pipeline(model).save_pretrained(folder)


def _batched(items: Iterable[Batch], size: int) -> Iterable[list[Batch]]:
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def encode_twgtm(recipe: TWGTMRecipe, sources: Sources, run: RunSettings) -> None:
    """Encode what TWGTM trains on, as far as chance does not decide it."""
    recipe = start_from(recipe, sources.initial)
    _prepared(recipe, load_twgtm(recipe)[0], sources, run)


def _prepared(
    recipe: TWGTMRecipe, parts: TWGTMParts, sources: Sources, run: RunSettings
) -> tuple[RunPairs, TwoWayPairs, TwoWayPairs]:
    pairs = open_run_pairs(sources, run, recipe.size)
    encoder = TwoWayEncoder(parts, recipe.size, recipe.stage, encoding_device(run))
    cells = latent_size(parts.vae, recipe.size) if recipe.correspondence_weight else None
    data, unseen = (
        TwoWayPairs(part, recipe.size, recipe.tasks, _encoded(part, encoder, recipe, sources), points_at)
        for part, points_at in ((pairs.training, cells), (pairs.unseen, None))  # validation is plain
    )
    return pairs, data, unseen


def _encoded(
    pairs: ReadablePairs, encoder: TwoWayEncoder, recipe: TWGTMRecipe, sources: Sources
) -> Encodings | None:
    """Encodings of pairs; one panel's latents depend on a warp that is learnt, and cannot be kept."""
    if sources.cache is None or not recipe.two_panels:
        return None
    return prepare(pairs, encoder, sources.cache)


def train_twgtm(recipe: TWGTMRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train TWGTM; returns the folder of the exported pipeline."""
    torch.manual_seed(run.seed)
    recipe = start_from(recipe, sources.initial)
    parts, model = load_twgtm(recipe)
    pairs, data, unseen = _prepared(recipe, parts, sources, run)
    task = TWGTMTask(recipe, model, parts, data, unseen, encoding_device(run))
    return train(task, recipe.optimization, run, recipe, pairs.description)
