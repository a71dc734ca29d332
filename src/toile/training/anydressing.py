"""Training AnyDressing: GarmentsNet and Dressing-Attention, on triplets, around a frozen Stable Diffusion."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from PIL import Image
from torch import Tensor, nn

from toile.anydressing.model import AnyDressingModel
from toile.anydressing.objective import anydressing_loss
from toile.anydressing.pipeline import AnyDressingPipeline
from toile.anydressing.recipes import AnyDressingRecipe
from toile.anydressing.texture import Distance
from toile.data.latent_cache import Encodings, open_encodings
from toile.data.triplets import Triplet
from toile.diffusion.noise import item_generators
from toile.diffusion.photos import prepare_pictures
from toile.training.anydressing_start import (
    DressingParts,
    load_anydressing,
    load_decoder,
    load_distance,
    start_from,
)
from toile.training.base import fixed_noise_loss
from toile.training.loop import train
from toile.training.pictures import tile
from toile.training.prepared import embed_texts, encoding_device
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.training.triplet_encoding import Batch, DressingTriplets, TripletEncoder
from toile.training.triplets import RunTriplets, open_run_triplets

SHOWN = 6
"""How many unseen triplets a sample picture shows."""


class AnyDressingTask:
    """Predict the noise of the photo, given its caption and the garments worn in it (Eq. 14 and 15)."""

    name = "anydressing"

    def __init__(
        self,
        recipe: AnyDressingRecipe,
        model: AnyDressingModel,
        parts: DressingParts,
        data: Encodings,
        unseen: Encodings,
        shown: Sequence[Triplet],
        distance: Distance | None,
        device: str = "cpu",
    ) -> None:
        """Keep the frozen parts, on `device`; sample pictures are of the triplets in `shown`.

        `distance` is what L_texture measures with, None where the recipe leaves it out.
        """
        self.recipe, self.model, self.parts, self.shown = recipe, model, parts, shown
        self.dataset, self.unseen = DressingTriplets(data), DressingTriplets(unseen)
        self.decode = load_decoder(parts.vae.to(device))
        self.distance = distance
        empty = parts.tokenizer([""], padding="max_length", truncation=True, return_tensors="pt").input_ids
        self.null = embed_texts(parts.text_encoder, empty.to(parts.text_encoder.device)).cpu()  # (1 L D)

    def loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Eq. 15, text and garments dropped together now and then."""
        recipe = self.recipe
        return anydressing_loss(
            model,
            self._with_null(batch),
            self.parts.scheduler,
            generator,
            drop_probability=recipe.drop_probability,
            localization=recipe.localization,
            localization_weight=recipe.localization_weight,
            texture_weight=recipe.texture_weight,
            texture_threshold=recipe.texture_threshold,
            decode=self.decode,
            distance=self.distance,
        )

    def _with_null(self, batch: Batch) -> Batch:
        return batch | {"null_prompt_embeds": self.null.to(batch["prompt_embeds"].device)}

    def noise_loss(self, model: nn.Module, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Eq. 14 alone, nothing dropped: what all rows of Table 3 have in common."""
        return anydressing_loss(
            model,
            self._with_null(batch),
            self.parts.scheduler,
            generator,
            drop_probability=0.0,
            localization=None,
            texture_weight=0.0,
            decode=None,
            distance=None,
        )

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The noise loss on unseen triplets with the same noise each time, every one of them dressed."""
        return {"unseen_loss": fixed_noise_loss(self.noise_loss, model, self.unseen)}

    def sample(self, model: nn.Module) -> Image.Image:
        """Unseen garments, a row for each kind, who is drawn in them from the caption, and the truth."""
        outfits = [
            {kind: shown.garment(kind) for kind in self.recipe.kinds if kind in shown.kinds}
            for shown in self.shown
        ]
        drawn = self.pipeline(model)(
            [shown.caption for shown in self.shown],
            outfits,
            guidance_scale=self.recipe.guidance_scale,
            scale=self.recipe.scale,
            generator=item_generators(range(len(outfits))),
            output_type="pt",
        ).images
        white = Image.new("RGB", (1, 1), "white")
        given = [[outfit.get(kind, white) for outfit in outfits] for kind in self.recipe.kinds]
        rows = [prepare_pictures(pictures, self.recipe.size) for pictures in given]
        truth = prepare_pictures([shown.person for shown in self.shown], self.recipe.size)
        return tile([*rows, drawn.cpu() * 2 - 1, truth])

    def pipeline(self, model: nn.Module) -> AnyDressingPipeline:
        """The pipeline around a model in training."""
        pipeline = AnyDressingPipeline.from_parts(self.parts, cast(AnyDressingModel, model), self.recipe.size)
        pipeline.register_to_config(num_inference_steps=self.recipe.num_inference_steps)
        pipeline.set_progress_bar_config(disable=True)
        moved: AnyDressingPipeline = pipeline.to(next(model.parameters()).device)
        return moved

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the whole pipeline in diffusers layout."""
        self.pipeline(model).save_pretrained(folder)


def _prepared(
    recipe: AnyDressingRecipe, parts: DressingParts, sources: Sources, run: RunSettings
) -> tuple[RunTriplets, Encodings, Encodings]:
    encoder = TripletEncoder(parts, recipe.kinds, recipe.size, encoding_device(run))
    triplets = open_run_triplets(sources, run, recipe.size, recipe.kinds, recipe.vary_captions)
    data, unseen = (
        open_encodings(
            part, encoder, sources.cache, "" if sources.cache is None else encoder.key(part.fingerprint())
        )
        for part in (triplets.training, triplets.unseen)
    )
    return triplets, data, unseen


def encode_anydressing(recipe: AnyDressingRecipe, sources: Sources, run: RunSettings) -> None:
    """Encode what AnyDressing trains on."""
    recipe = start_from(recipe, sources.initial)
    _prepared(recipe, load_anydressing(recipe)[0], sources, run)


def train_anydressing(recipe: AnyDressingRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train AnyDressing; returns the folder of the exported pipeline."""
    torch.manual_seed(run.seed)
    recipe = start_from(recipe, sources.initial)
    device = encoding_device(run)
    distance = load_distance(recipe, device)  # missing weights are missed before everything is encoded
    parts, model = load_anydressing(recipe)
    triplets, data, unseen = _prepared(recipe, parts, sources, run)
    shown = [triplets.unseen[index] for index in range(min(SHOWN, len(triplets.unseen)))]
    task = AnyDressingTask(recipe, model, parts, data, unseen, shown, distance, device)
    return train(task, recipe.optimization, run, recipe, triplets.description)
