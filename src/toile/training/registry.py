"""Every training by name: what `toile train` and the chain behind the bundled weights can start."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from toile.anydressing.recipes import RECIPES as ANYDRESSING_RECIPES
from toile.diffusion.recipes import ClipRecipe, TextToImageRecipe, VaeRecipe, half_size_base, whole_pictures
from toile.errors import ToileError
from toile.evaluation.doll_features_task import DollFeaturesRecipe, DollFeaturesTask
from toile.evaluation.scene_scorer_task import SceneScorerRecipe, SceneScorerTask
from toile.igr.recipes import RECIPES as IGR_RECIPES
from toile.training.anydressing import encode_anydressing, train_anydressing
from toile.training.base import encode_text_to_image, train_text_to_image
from toile.training.base_clip import train_clip
from toile.training.base_vae import train_vae
from toile.training.igr import encode_igr, train_igr
from toile.training.loop import train
from toile.training.parser import ParserRecipe, half_size, train_parser
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.training.twgtm import encode_twgtm, train_twgtm
from toile.twgtm.recipes import RECIPES as TWGTM_RECIPES


@dataclass(frozen=True, kw_only=True)
class Training:
    """One thing that can be trained."""

    summary: str
    """What it makes, in a line."""
    recipe: Callable[[], Any]
    """The complete configuration, of which any field may be overridden."""
    start: Callable[[Any, Sources, RunSettings], Path]
    """Trains, and returns the folder of the exported model."""
    encode: Callable[[Any, Sources, RunSettings], None] | None = None
    """Encodes what it trains on, as far as that can be done ahead; None where nothing can."""


def _train_doll_features(recipe: DollFeaturesRecipe, sources: Sources, run: RunSettings) -> Path:
    torch.manual_seed(run.seed)
    cache = None if sources.cache is None else sources.cache / "doll-features"
    return train(DollFeaturesTask(recipe, cache), recipe.optimization, run, recipe)


def _train_scene_scorer(recipe: SceneScorerRecipe, sources: Sources, run: RunSettings) -> Path:
    torch.manual_seed(run.seed)
    cache = None if sources.cache is None else sources.cache / "scene-scorer"
    return train(SceneScorerTask(recipe, cache), recipe.optimization, run, recipe)


TRAININGS: dict[str, Training] = {
    "base-vae": Training(summary="the VAE of tiny", recipe=VaeRecipe, start=train_vae),
    "base-vae-whole": Training(
        summary="the VAE of tiny, on whole pictures", recipe=whole_pictures, start=train_vae
    ),
    "base-clip": Training(summary="the small CLIP of tiny", recipe=ClipRecipe, start=train_clip),
    "base-half": Training(
        summary="the text-to-image U-Net of tiny, at half the size",
        recipe=half_size_base,
        start=train_text_to_image,
        encode=encode_text_to_image,
    ),
    "base": Training(
        summary="the text-to-image U-Net of tiny",
        recipe=TextToImageRecipe,
        start=train_text_to_image,
        encode=encode_text_to_image,
    ),
    "doll-features": Training(
        summary="the network behind DISTS-dolls", recipe=DollFeaturesRecipe, start=_train_doll_features
    ),
    "scene-scorer": Training(
        summary="the network that sees whether a picture follows its prompt",
        recipe=SceneScorerRecipe,
        start=_train_scene_scorer,
    ),
    "parser-half": Training(
        summary="the parser of tiny, at half the size", recipe=half_size, start=train_parser
    ),
    "parser": Training(summary="the parser of tiny", recipe=ParserRecipe, start=train_parser),
    **{
        f"igr-{name}": Training(
            summary=f"garment restoration, recipe {name}", recipe=recipe, start=train_igr, encode=encode_igr
        )
        for name, recipe in IGR_RECIPES.items()
    },
    **{
        f"twgtm-{name}": Training(
            summary=f"trying on and taking off, recipe {name}",
            recipe=recipe,
            start=train_twgtm,
            encode=encode_twgtm,
        )
        for name, recipe in TWGTM_RECIPES.items()
    },
    **{
        f"anydressing-{name}": Training(
            summary=f"dressing, recipe {name}",
            recipe=recipe,
            start=train_anydressing,
            encode=encode_anydressing,
        )
        for name, recipe in ANYDRESSING_RECIPES.items()
    },
}


def find_training(name: str) -> Training:
    """The training of that name.

    Raises:
        ToileError: when there is none.
    """
    if name not in TRAININGS:
        raise ToileError(f"there is no training {name!r}; there are {', '.join(TRAININGS)}")
    return TRAININGS[name]
