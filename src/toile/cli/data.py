"""`toile data`: everything that is done to a dataset before a model sees it."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from toile.cli.data_caption import Caption
from toile.cli.data_check import Check
from toile.cli.data_curate import Curate
from toile.cli.data_review import Review
from toile.cli.data_shards import MakeShards
from toile.cli.data_triplets import MakeTriplets


@dataclass(frozen=True)
class EncodeAhead:
    """Encode what a training reads, ahead of it: `toile data cache` lists the trainings."""

    def run(self) -> int:
        """Never reached: `data_command` hands `toile data cache` over before anything is parsed here."""
        raise AssertionError("toile data cache is parsed by toile.cli.data_cache")


Command = (
    Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Curate, tyro.conf.subcommand("curate")]
    | Annotated[Review, tyro.conf.subcommand("review")]
    | Annotated[MakeTriplets, tyro.conf.subcommand("triplets")]
    | Annotated[Caption, tyro.conf.subcommand("caption")]
    | Annotated[MakeShards, tyro.conf.subcommand("shards")]
    | Annotated[EncodeAhead, tyro.conf.subcommand("cache")]
)


def data_command(arguments: list[str]) -> int:
    """Parse the arguments behind `toile data`, run the command that they name, return its exit code."""
    if arguments[:1] == ["cache"]:  # each training has its own settings
        from toile.cli.data_cache import cache_command

        return cache_command(arguments[1:])
    command = tyro.cli(
        Command,
        prog="toile data",
        description="Datasets: what is wrong with one, what to train on, and in which form.",
        args=arguments or ["--help"],
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes),
    )
    return command.run() or 0
