"""Training TWGTM: both directions of every pair, in two stages.

Pictures are encoded in the step that needs them, since h_f depends on a rectangle that is drawn in it.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from toile.data.open import open_pairs
from toile.data.record import CATEGORIES
from toile.data.tensors import pair_tensors
from toile.diffusion.noise import item_generators
from toile.training.base import fixed_noise_loss
from toile.training.loop import train
from toile.training.pictures import tile
from toile.training.prepared import encoding_device, to_signed
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.training.twgtm_start import load_twgtm, start_from
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
from toile.twgtm.recipes import Tasks, TWGTMRecipe
from toile.twgtm.reference import make_reference
from toile.twgtm.warp import one_panel

SHOWN = 5
"""How many unseen pairs a sample picture shows."""
JUDGED = 64
"""How many unseen pairs the silhouette's IoU is measured on."""

Batch = dict[str, Tensor]


class TwoWayPairs(Dataset[Batch]):
    """Every pair twice, once for each direction, or once, for one of them."""

    def __init__(self, source: str, size: tuple[int, int], tasks: Tasks = "both") -> None:
        """Open `source` (see `open_pairs`); pictures are fitted to `size` (height, width)."""
        self.pairs, self.size, self.tasks = open_pairs(source, size=size), size, tasks

    def __len__(self) -> int:
        """The number of pairs, times two for both directions."""
        return len(self.pairs) * (2 if self.tasks == "both" else 1)

    def __getitem__(self, index: int) -> Batch:
        """The pair's pictures (uint8), its category's number, and whether the garment is taken off."""
        number, taking_off = divmod(index, 2) if self.tasks == "both" else (index, self.tasks == "take_off")
        pair = self.pairs[number]
        return pair_tensors(pair, self.size) | {
            "category": torch.tensor(CATEGORIES.index(pair.category)),
            "taking_off": torch.tensor(bool(taking_off)),
        }


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
        self.vae = parts.vae.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)
        self.image_encoder = parts.image_encoder.to(device).eval().requires_grad_(False)
        self.settings = ObjectiveSettings(
            drop_probability=recipe.drop_probability,
            spatial_attention=recipe.stage == 2,
            mask_weight=recipe.mask_weight,
            dice_weight=recipe.dice_weight,
            bce_weight=recipe.bce_weight,
        )

    def loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Eq. 14 in stage 1, Eq. 16 in stage 2."""
        prepared = self.prepare(batch, generator)
        return twgtm_loss(model, prepared, self.parts.scheduler, generator, self.settings)

    @torch.no_grad()
    def prepare(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Turn pictures into what `twgtm_loss` reads: panels, their latents, and the reference."""
        person, garment = to_signed(batch["person"]), to_signed(batch["garment"])  # (B 3 H W)
        mask, silhouette = batch["mask"].float() / 255, batch["silhouette"].float() / 255  # (B 1 H W)
        off = batch["taking_off"][:, None, None, None]  # (B 1 1 1)
        repaint = torch.where(off, self._place_of_garment(silhouette, generator), mask)
        target, picture = torch.where(off, garment, person), torch.where(off, person, garment)
        made = self._panels(target, picture, repaint)
        latents = self._encode(torch.cat([cast(Tensor, made.pictures), made.guidance])).chunk(2)
        reference = make_reference(
            picture,
            [CATEGORIES[number] for number in batch["category"].tolist()],
            self.image_encoder,
            self.parts.feature_extractor,
            self.parts.tokenizer,
        )
        return {
            "target_latents": latents[0],
            "guidance_latents": latents[1],
            "known": made.known,
            "taking_off": batch["taking_off"],
            "silhouette": silhouette,
            "target": target,
            "repaint": repaint,
            **vars(reference),
        }

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

    def _encode(self, pictures: Float[Tensor, "B 3 H WW"]) -> Float[Tensor, "B C h ww"]:
        wide = pictures.contiguous(memory_format=torch.channels_last)
        latents: Tensor = self.vae.encode(wide).latent_dist.mode() * self.vae.config.scaling_factor
        return latents.float()

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The loss on unseen pairs with the same noise each time, and how well silhouettes are predicted."""
        figures = {"unseen_loss": fixed_noise_loss(self.loss, model, self.unseen)}
        if self.recipe.tasks != "try_on":
            figures["silhouette_iou"] = self._silhouette_iou(cast(TWGTMModel, model))
        return figures

    def _silhouette_iou(self, model: TWGTMModel) -> float:
        """Mean intersection over union of predicted and true silhouettes, cut at one half."""
        scores = []
        device = next(model.parameters()).device
        for items in _batched(self._taken_off(JUDGED), 16):
            batch = {name: value.to(device) for name, value in default_collate(items).items()}
            reference = make_reference(
                to_signed(batch["person"]),
                [CATEGORIES[number] for number in batch["category"].tolist()],
                self.image_encoder,
                self.parts.feature_extractor,
                self.parts.tokenizer,
            )
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


def train_twgtm(recipe: TWGTMRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train TWGTM; returns the folder of the exported pipeline."""
    torch.manual_seed(run.seed)
    recipe = start_from(recipe, sources.initial)
    parts, model = load_twgtm(recipe)
    data, unseen = (
        TwoWayPairs(source, recipe.size, recipe.tasks) for source in (sources.data, sources.unseen)
    )
    task = TWGTMTask(recipe, model, parts, data, unseen, encoding_device(run))
    return train(task, recipe.optimization, run, recipe)
