"""Can the tiny IGR learn real photos? Train it on a handful of real pairs until it knows them by heart.

    python benchmarks/memorise_real.py ../shared/samples/viton-256-mini:test --steps 4000

It says nothing about unseen photos: it shows that nothing in the code is only good for drawings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro
from PIL import Image
from rich.console import Console

from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.diffusion.optimization import Optimization
from toile.evaluation.baselines import colour_filled_oracle, crop_and_paste, mean_garment, study
from toile.evaluation.doll_features import BUNDLED, load_doll_features
from toile.evaluation.restoration import evaluate_restoration
from toile.evaluation.sheet import picture_sheet
from toile.evaluation.tables import replace_between, to_markdown, to_rich, write_json
from toile.igr.pipeline import IGRPipeline
from toile.igr.recipes import tiny_coarse
from toile.training.igr import train_igr
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SIZE = (256, 192)
MODEL = "IGR tiny, trained on these pairs"
TABLE = "memorise-real"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is memorised, and how long."""

    data: tyro.conf.Positional[str]
    """A folder in VITON-HD or DressCode layout; `FOLDER:test` names the split."""
    steps: int = 4000
    """Optimiser steps."""
    batch_size: int = 8
    """Pairs in a step."""
    learning_rate: float | None = None
    """The optimiser's learning rate; None takes the recipe's."""
    initial: str | None = None
    """What the training starts from: an exported folder; None takes the bundled base."""
    threads: int | None = None
    """Threads of torch on the CPU; None leaves them as they are."""
    device: str | None = None
    """"cpu" or "cuda"; None takes what is there."""
    out: Path = Path("out/memorise-real")
    """Where the run, the pictures and the figures go; a run that is there is continued."""
    doll_features: Path = BUNDLED
    """DISTS-dolls's network."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose table is replaced; None prints only."""


def memorising(optimization: Optimization, settings: Settings) -> Optimization:
    """A recipe's numbers, changed as the settings say."""
    rate = optimization.learning_rate if settings.learning_rate is None else settings.learning_rate
    return replace(optimization, steps=settings.steps, batch_size=settings.batch_size, learning_rate=rate)


def source_and_run(settings: Settings) -> tuple[Sources, RunSettings]:
    """The pairs, known and unseen at once, and where and how the training runs."""
    data, out = settings.data, settings.out
    sources = Sources(data=data, unseen=data, initial=settings.initial, cache=out / "cache")
    return sources, RunSettings(folder=out / "run", device=settings.device, threads=settings.threads)


def train(settings: Settings) -> Path:
    """Train the tiny recipe on the pairs; returns the exported pipeline's folder."""
    recipe = tiny_coarse()
    recipe = replace(recipe, optimization=memorising(recipe.optimization, settings))
    return train_igr(recipe, *source_and_run(settings))


def restorer(folder: Path, device: str) -> "Restorer":
    """The trained pipeline as a method of `evaluate_restoration`."""
    pipeline = IGRPipeline.from_pretrained(folder).to(device)
    pipeline.set_progress_bar_config(disable=True)
    return Restorer(pipeline)


class Restorer:
    """A pipeline that restores pairs, the first from seed 0, and so on."""

    def __init__(self, pipeline: IGRPipeline) -> None:
        self.pipeline = pipeline

    def __call__(self, pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        """One garment a pair."""
        output = self.pipeline(
            [pair.person for pair in pairs],
            [pair.mask for pair in pairs],
            category=[pair.category for pair in pairs],
            generator=[torch.Generator().manual_seed(seed) for seed in range(len(pairs))],
        )
        return list(output.images)


def main(settings: Settings) -> None:
    features = load_doll_features(settings.doll_features)
    pairs = open_pairs(settings.data, size=SIZE)
    training = study(pairs, SIZE)
    methods = {
        MODEL: restorer(train(settings), settings.device or "cpu"),
        "crop and paste": crop_and_paste(SIZE),
        "oracle: true silhouette, true mean colour": colour_filled_oracle(SIZE),
        "mean garment": mean_garment(training),
    }
    report = evaluate_restoration(methods, {"real, memorised": pairs}, size=SIZE, features=features)
    write_json(report, settings.out / "report.json")
    Console(width=200).print(to_rich(report, "real, memorised"))
    rows = [[pair.person, methods[MODEL]([pair])[0], pair.garment] for pair in pairs[:16]]
    picture_sheet(["photo", "restored", "truth"], rows).save(settings.out / "sheet.png")
    if settings.docs is not None:
        text = settings.docs.read_text(encoding="utf-8")
        made = f"{len(pairs)} pairs, {settings.steps} steps of {settings.batch_size} pairs."
        settings.docs.write_text(
            replace_between(text, TABLE, f"{made}\n\n{to_markdown(report)}"), encoding="utf-8"
        )


if __name__ == "__main__":
    main(tyro.cli(Settings))
