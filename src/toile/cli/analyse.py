"""`toile analyse`: what two models' parameters and one model's two tasks have in common (TWGTM, Fig. 1)."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from toile.cli.options import TWGTM_OPTIONS
from toile.errors import ToileError
from toile.files import check_writable, write_text
from toile.images import save_png
from toile.tasks.drawing import check_count

if TYPE_CHECKING:
    from rich.table import Table

    from toile.evaluation.similarity import ParameterSimilarity

UNET = "unet"


@dataclass(frozen=True, kw_only=True)
class AnalyseParameters:
    """Compare the self-attention and feed-forward parameters of two models' U-Nets.

    Says what share of them has a relative error |a - b| / max(|a|, |b|) under each threshold.
    """

    a: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="A")]
    """A model: a folder in diffusers layout that holds a `unet` with safetensors."""
    b: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="B")]
    """Another model of the same architecture."""
    thresholds: tuple[float, ...] = (0.0005, 0.001, 0.005, 0.01, 0.05)
    """Relative errors, each greater than 0."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A .json file to write the figures to."""

    def run(self) -> None:
        """Compare, print the table, and write the figures where that is asked for."""
        from rich.console import Console

        if self.output is not None:
            if self.output.suffix.lower() != ".json":
                raise ToileError(f"output {self.output} does not end in .json; figures are written as JSON")
            check_writable(self.output.parent)
        found = analyse_parameters(self.a, self.b, self.thresholds)
        Console().print(parameter_table(found))
        if self.output is not None:
            models = {"a": str(self.a), "b": str(self.b)}
            write_text(json.dumps(models | vars(found), indent=1) + "\n", self.output)


@dataclass(frozen=True, kw_only=True)
class AnalyseFeatures:
    """Compare what the layers of a TWGTM put out when it tries on and when it takes off, as a heat map."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """A TWGTM: tiny, a folder in diffusers layout, or a hub name."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = Path("features.png")
    """The .png file to draw."""
    data: str = "dolls:10000000:8:mixed"
    """Pairs to look at: dolls:FIRST:COUNT[:street|:mixed], or a folder in VITON-HD or DressCode layout."""
    count: int = 8
    """How many of them."""
    timestep: int = 30
    """The diffusion step, from 0 (clean) to 999 (noise)."""
    seed: int = 0
    """Seed of the noise."""
    swap: bool = True
    """Exchange the panels of one task, so that the person is compared with the person."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""

    def run(self) -> None:
        """Compare, and draw the heat map."""
        if self.output.suffix.lower() != ".png":
            raise ToileError(f"output {self.output} does not end in .png; the heat map is a picture")
        check_count("count", self.count, 1000)
        check_writable(self.output.parent)
        draw_features(self)
        print(self.output)


@dataclass(frozen=True)
class Analyse:
    """Look into trained models: what their weights, or their tasks, have in common."""

    command: (
        Annotated[AnalyseParameters, tyro.conf.subcommand("parameters")]
        | Annotated[AnalyseFeatures, tyro.conf.subcommand("features")]
    )
    """What to look at."""

    def run(self) -> None:
        """Run the chosen command."""
        self.command.run()


def draw_features(options: AnalyseFeatures) -> None:
    """Draw the heat map that `options` ask for.

    Raises:
        ToileError: when the model or the data cannot be read.
    """
    from toile.data.open import open_pairs
    from toile.evaluation.heat_map import HeatMapStyle, heat_map
    from toile.evaluation.two_way import task_similarity

    pipeline = replace(TWGTM_OPTIONS, model=options.model, device=options.device).load("twgtm")
    pairs = list(open_pairs(options.data, size=pipeline.default_size)[: options.count])
    found = task_similarity(pipeline, pairs, options.timestep, options.seed, options.swap)
    style = HeatMapStyle(
        title=f"Cosine similarity of outputs at t = {options.timestep}",
        row_title="trying on",
        column_title="taking off",
    )
    settings = {"model": options.model, "data": options.data, "count": len(pairs), "seed": options.seed}
    picture = heat_map(found.matrix.numpy(), found.names, style=style)
    save_png(picture, options.output, settings | {"timestep": options.timestep, "swap": options.swap})


def analyse_parameters(a: Path, b: Path, thresholds: tuple[float, ...]) -> "ParameterSimilarity":
    """Compare the U-Nets of two folders; tensors are read one pair at a time, and no model is made.

    Args:
        a: a folder in diffusers layout that holds a `unet`.
        b: another one.
        thresholds: relative errors.

    Raises:
        ToileError: when a folder has no such part, or the two cannot be compared.
    """
    from toile.diffusion.weight_files import WeightFiles
    from toile.evaluation.similarity import parameter_similarity

    return parameter_similarity(WeightFiles(_unet_of(a)), WeightFiles(_unet_of(b)), thresholds)


def _unet_of(model: Path) -> Path:
    if not model.is_dir():
        raise ToileError(f"there is no folder {model}; give a model's folder in diffusers layout")
    if not (model / UNET).is_dir():
        raise ToileError(f"{model} has no part {UNET!r}; give a model's whole folder in diffusers layout")
    return model / UNET


def parameter_table(found: "ParameterSimilarity") -> "Table":
    """A row for each threshold, a column for each kind of layer."""
    from rich.table import Table

    table = Table(title="Share of parameters whose relative error is smaller")
    table.add_column("relative error", justify="right")
    for kind, count in found.counts.items():
        table.add_column(f"{kind}\n{count:,}", justify="right")
    for index, threshold in enumerate(found.thresholds):
        shares = [f"{row[index]:.1%}" for row in found.shares.values()]
        table.add_row(f"< {threshold:g}", *shares)
    return table
