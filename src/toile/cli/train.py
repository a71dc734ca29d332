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
    parsed = parse_training(
        f"toile train {name}",
        f"Train {training.summary}. A run that was stopped is continued by the same command.",
        name,
        rest,
    )
    export = training.start(parsed.recipe, parsed.sources, parsed.run)
    print(export)
    return 0


def parse_training(program: str, description: str, name: str, arguments: list[str]) -> TrainArguments[Any]:
    """Read the settings of a training from the command line; what is not named keeps its recipe's value."""
    recipe = find_training(name).recipe()
    parsed: TrainArguments[Any] = tyro.cli(
        cast(type[TrainArguments[Any]], TrainArguments[type(recipe)]),  # type: ignore[misc]
        prog=program,
        description=description,
        args=arguments,
        default=TrainArguments(sources=Sources(), run=RunSettings(folder=Path("runs") / name), recipe=recipe),
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return parsed


def _list_trainings() -> None:
    table = Table("NAME", "what it trains", box=None)
    for name, training in TRAININGS.items():
        table.add_row(name, training.summary)
    console = Console()
    console.print(
        "usage: toile train NAME --data PAIRS [--steps N] [--folder RUN] ...; toile train NAME --help\n"
    )
    console.print(table)
