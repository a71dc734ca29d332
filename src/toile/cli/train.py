"""`toile train NAME`: any training, with any field of its recipe overridden."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import tyro
from rich.console import Console
from rich.table import Table

from toile.training.registry import TRAININGS, find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources

Recipe = TypeVar("Recipe")


@dataclass(frozen=True, kw_only=True)
class TrainArguments(Generic[Recipe]):
    """What a training is started with."""

    sources: Sources
    """What it starts from and reads."""
    run: RunSettings
    """Where the run is written, how often, on what machine."""
    recipe: Recipe
    """The complete configuration of what is trained."""


def train_command(arguments: list[str]) -> int:
    """Parse and start a training; returns the exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        _list_trainings()
        return 0
    name, *rest = arguments
    training = find_training(name)
    parsed: TrainArguments[Any] = tyro.cli(
        cast(type[TrainArguments[Any]], TrainArguments[type(training.recipe())]),  # type: ignore[misc]
        prog=f"toile train {name}",
        description=f"Train {training.summary}. A run that was stopped is continued by the same command.",
        args=rest,
        default=TrainArguments(
            sources=Sources(), run=RunSettings(folder=Path("runs") / name), recipe=training.recipe()
        ),
        config=(tyro.conf.OmitArgPrefixes,),
    )
    export = training.start(parsed.recipe, parsed.sources, parsed.run)
    print(export)
    return 0


def _list_trainings() -> None:
    table = Table("NAME", "what it trains", box=None)
    for name, training in TRAININGS.items():
        table.add_row(name, training.summary)
    console = Console()
    console.print(
        "usage: toile train NAME --data PAIRS [--steps N] [--folder RUN] ...; toile train NAME --help\n"
    )
    console.print(table)
