"""Training IGR: the coarse stage on everything, the fine stage on the curated pairs."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from toile.bundled import BASE, TINY, weights_folder
from toile.data.curation import CuratedPairs
from toile.data.latent_cache import Encodings
from toile.data.record import CATEGORIES, GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion.image_prompt import LowLevelExtractor
from toile.diffusion.noise import item_generators
from toile.diffusion.stable_diffusion import StableDiffusionParts
from toile.igr.model import CATEGORY_PROMPTS, IGRModel
from toile.igr.objective import igr_loss
from toile.igr.pipeline import IGRPipeline
from toile.igr.recipes import IGRRecipe
from toile.training.base import fixed_noise_loss
from toile.training.loop import train
from toile.training.pairs import Change, RunPairs, open_run_pairs
from toile.training.pictures import tile
from toile.training.prepared import PairEncoder, embed_texts, encoding_device, prepare, to_signed
from toile.training.settings import RunSettings
from toile.training.sources import Sources

LAST_TIMESTEPS = 1e4
"""A shift that leaves nearly all timesteps among the last ten of a thousand."""
SHOWN = 10
"""How many unseen pairs a sample picture shows."""


class RestorationPairs(Dataset[dict[str, Tensor]]):
    """What a step of IGR reads."""

    def __init__(self, pairs: Encodings) -> None:
        """Wrap encoded pairs, the masked crops embedded (F_ll's source; IGR, Sec. 3.2)."""
        self.pairs = pairs

    def __len__(self) -> int:
        """The number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Latents (C, h, w), mask (1, h, w), image embedding (E,), category number, points (h, w, 2)."""
        item = self.pairs[index]
        return {
            "garment_latents": item["garment_latents"].float(),
            "person_latents": item["person_latents"].float(),
            "mask": item["mask"].float() / 255,
            "image_embeds": item["crop_embeds"],
            "category": item["category"],
            "points": item["points"].float(),
        }


class IGRTask:
    """Predict the noise of the flat garment's latent, given the photo of its wearer (Eq. 1)."""

    name = "igr"

    def __init__(
        self,
        recipe: IGRRecipe,
        model: IGRModel,
        parts: StableDiffusionParts,
        data: Encodings,
        unseen: Encodings,
        shown: Sequence[GarmentPair],
    ) -> None:
        """Keep the frozen parts; sample pictures are of the pairs in `shown`."""
        self.recipe, self.model, self.parts = recipe, model, parts
        self.dataset = RestorationPairs(data)
        self.unseen = RestorationPairs(unseen)
        self.shown = shown
        self.prompts = self._embed([CATEGORY_PROMPTS[category] for category in CATEGORIES])  # (3, L, D)
        self.null = self._embed([""])[0]

    def _embed(self, texts: list[str]) -> Float[Tensor, "B L D"]:
        tokens = self.parts.tokenizer(
            texts, padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        return embed_texts(self.parts.text_encoder, tokens.to(self.parts.text_encoder.device)).cpu()

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Eq. 1, with the conditions dropped together now and then, and what the recipe adds to it."""
        recipe = self.recipe
        return igr_loss(
            model,
            self._with_prompts(batch),
            self.parts.scheduler,
            generator,
            recipe.drop_probability,
            timestep_shift=recipe.timestep_shift,
            copy_probability=recipe.copy_probability,
            correspondence_weight=recipe.correspondence_weight,
        )

    def _with_prompts(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        device = batch["garment_latents"].device
        return batch | {
            "prompt_embeds": self.prompts[batch["category"].cpu()].to(device),
            "null_prompt_embeds": self.null.to(device),
        }

    def _plain_loss(
        self,
        model: nn.Module,
        batch: dict[str, Tensor],
        generator: torch.Generator,
        timestep_shift: float = 1.0,
    ) -> dict[str, Tensor]:
        """Eq. 1 alone, which compares whatever a recipe adds."""
        return igr_loss(
            model,
            self._with_prompts(batch),
            self.parts.scheduler,
            generator,
            self.recipe.drop_probability,
            timestep_shift=timestep_shift,
        )

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The loss on unseen pairs with the same noise each time.

        And the same at the last timesteps, where all that can be known is in the photo: as long as it does
        not fall, the model does not look at the photo.
        """
        noisiest = partial(self._plain_loss, timestep_shift=LAST_TIMESTEPS)
        return {
            "unseen_loss": fixed_noise_loss(self._plain_loss, model, self.unseen),
            "unseen_loss_from_noise": fixed_noise_loss(noisiest, model, self.unseen),
        }

    def sample(self, model: nn.Module) -> Image.Image:
        """Unseen photos, what is restored from them, and the truth."""
        pairs = list(self.shown)
        restored = self.pipeline(model)(
            [pair.person for pair in pairs],
            [pair.mask for pair in pairs],
            [pair.category for pair in pairs],
            guidance_scale=self.recipe.guidance_scale,
            generator=item_generators(range(len(pairs))),
            output_type="pt",
        ).images
        tensors = [pair_tensors(pair, self.recipe.size) for pair in pairs]
        person, truth = (
            to_signed(torch.stack([item[name] for item in tensors])) for name in ("person", "garment")
        )
        return tile([person, restored * 2 - 1, truth])

    def pipeline(self, model: nn.Module) -> IGRPipeline:
        """The pipeline around a model in training."""
        pipeline = IGRPipeline.from_parts(self.parts, cast(IGRModel, model), self.recipe.size)
        pipeline.register_to_config(num_inference_steps=self.recipe.num_inference_steps)
        pipeline.set_progress_bar_config(disable=True)
        moved: IGRPipeline = pipeline.to(next(model.parameters()).device)
        return moved

    def export(self, model: nn.Module, folder: Path) -> None:
        """Save the whole pipeline in diffusers layout."""
        self.pipeline(model).save_pretrained(folder)


def start_from(recipe: IGRRecipe, initial: str | None) -> IGRRecipe:
    """The recipe, starting from `initial`: an IGR folder to go on from, or a base in diffusers layout."""
    if initial is None:
        return recipe
    if (Path(initial) / "garment_net").is_dir() or (Path(initial) / "low_level_extractor").is_dir():
        return replace(recipe, initial_weights=initial)
    return replace(recipe, base_model=initial, image_encoder=initial)


def load_igr(recipe: IGRRecipe) -> tuple[StableDiffusionParts, IGRModel]:
    """The frozen parts and the model that a recipe starts from.

    Raises:
        ToileError: when something is missing, or the model cannot work at the recipe's size.
    """
    parts, model = _fresh(recipe) if recipe.initial_weights is None else _continued(recipe.initial_weights)
    IGRPipeline.from_parts(parts, model, recipe.size).check_size()  # before it is trained, not after
    return parts, model


def _continued(folder: str) -> tuple[StableDiffusionParts, IGRModel]:
    pipeline = IGRPipeline.from_pretrained(folder)
    names = (field.name for field in fields(StableDiffusionParts))
    return StableDiffusionParts(**{name: getattr(pipeline, name) for name in names}), pipeline.igr


def _fresh(recipe: IGRRecipe) -> tuple[StableDiffusionParts, IGRModel]:
    separate = recipe.image_encoder != recipe.base_model
    parts = StableDiffusionParts.from_pretrained(
        _folder(recipe.base_model), image_encoder=_folder(recipe.image_encoder) if separate else None
    )
    width = parts.image_encoder.config.projection_dim
    model = IGRModel.from_base(parts.unet, width, garment_net=recipe.garment_net)
    if recipe.ip_adapter is not None:
        model.extractor.load_state_dict(LowLevelExtractor.from_published(recipe.ip_adapter).state_dict())
    return parts, model


def _folder(name: str) -> str:
    return str(weights_folder() / BASE) if name == TINY else name


def _prepared(
    recipe: IGRRecipe, parts: StableDiffusionParts, sources: Sources, run: RunSettings
) -> tuple[RunPairs, Encodings, Encodings]:
    encoder = PairEncoder(
        parts.vae,
        parts.tokenizer,
        recipe.size,
        parts.image_encoder.config.image_size,
        encoding_device(run),
        image_encoder=parts.image_encoder,
    )
    pairs = open_run_pairs(sources, run, recipe.size, _curation(recipe, sources))
    data, unseen = (prepare(part, encoder, sources.cache) for part in (pairs.training, pairs.unseen))
    return pairs, data, unseen


def encode_igr(recipe: IGRRecipe, sources: Sources, run: RunSettings) -> None:
    """Encode what IGR trains on."""
    parts, _ = load_igr(start_from(recipe, sources.initial))
    _prepared(recipe, parts, sources, run)


def train_igr(recipe: IGRRecipe, sources: Sources, run: RunSettings) -> Path:
    """Train IGR; returns the folder of the exported pipeline."""
    torch.manual_seed(run.seed)
    recipe = start_from(recipe, sources.initial)
    parts, model = load_igr(recipe)
    pairs, data, unseen = _prepared(recipe, parts, sources, run)
    shown = [pairs.unseen[index] for index in range(min(SHOWN, len(pairs.unseen)))]
    task = IGRTask(recipe, model, parts, data, unseen, shown)
    return train(task, recipe.optimization, run, recipe, pairs.description)


def _curation(recipe: IGRRecipe, sources: Sources) -> Change | None:
    """What the recipe leaves out of its training pairs, and mends."""
    if not recipe.curated:
        return None
    return partial(
        CuratedPairs, size=recipe.size, pad_extremes=recipe.pad_extremes, curation=sources.curation
    )
