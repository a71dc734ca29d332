"""The command `toile`: one subcommand for each job."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from toile import __version__
from toile.cli.analyse import AnalyseFeatures, AnalyseParameters
from toile.cli.benchmark import Benchmark
from toile.cli.compare import Compare
from toile.cli.demo import Demo
from toile.cli.dolls import DollsMake, DollsShow
from toile.cli.dress import Dress
from toile.cli.evaluate import Evaluate
from toile.cli.mask import MakeMask
from toile.cli.restore import Restore
from toile.cli.study import Study
from toile.cli.swap import Swap
from toile.cli.takeoff import TakeOff
from toile.cli.tryon import TryOn
from toile.cli.wardrobe import Wardrobe
from toile.errors import ToileError

USAGE_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Dolls:
    """Paper Dolls: draw pictures of people in clothes, with exact ground truth."""

    command: (
        Annotated[DollsMake, tyro.conf.subcommand("make")]
        | Annotated[DollsShow, tyro.conf.subcommand("show")]
    )
    """What to do with them."""

    def run(self) -> int | None:
        """Run the chosen command."""
        return self.command.run()


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


@dataclass(frozen=True)
class Data:
    """Datasets: check, curate, review, triplets, captions, shards, cache; `toile data` lists them."""

    def run(self) -> int:
        """Never reached: `run_command` hands `toile data` over before anything is parsed here."""
        raise AssertionError("toile data is parsed by toile.cli.data")


@dataclass(frozen=True)
class Train:
    """Train a model: `toile train` lists what can be trained, `toile train NAME --help` its settings."""

    def run(self) -> int:
        """Never reached: `run_command` hands `toile train` over before anything is parsed here."""
        raise AssertionError("toile train is parsed by toile.cli.train")


Command = (
    Annotated[Restore, tyro.conf.subcommand("restore")]
    | Annotated[TryOn, tyro.conf.subcommand("tryon")]
    | Annotated[TakeOff, tyro.conf.subcommand("takeoff")]
    | Annotated[Swap, tyro.conf.subcommand("swap")]
    | Annotated[Dress, tyro.conf.subcommand("dress")]
    | Annotated[Wardrobe, tyro.conf.subcommand("wardrobe")]
    | Annotated[MakeMask, tyro.conf.subcommand("mask")]
    | Annotated[Demo, tyro.conf.subcommand("demo")]
    | Annotated[Dolls, tyro.conf.subcommand("dolls")]
    | Annotated[Data, tyro.conf.subcommand("data")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Benchmark, tyro.conf.subcommand("benchmark")]
    | Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Study, tyro.conf.subcommand("study")]
    | Annotated[Analyse, tyro.conf.subcommand("analyse")]
    | Annotated[Train, tyro.conf.subcommand("train")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a user's mistake is one line on stderr."""
    try:
        return run_command(list(sys.argv[1:] if arguments is None else arguments))
    except ToileError as error:
        print("toile:", " ".join(str(error).split()), file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt as stop:
        print("toile:", str(stop) or "interrupted; what was finished is kept", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run_command(arguments: list[str]) -> int:
    """Parse the arguments and run the command that they name."""
    if arguments[:1] in (["--version"], ["-V"]):
        print(f"toile {__version__}")
        return 0
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it warns of parts that nobody asked for
    if arguments[:1] == ["train"]:  # each recipe has its own settings, so it parses its own arguments
        from toile.cli.train import train_command

        return train_command(arguments[1:])
    if arguments[:1] == ["data"]:  # imported only here, as its commands bring heavy libraries with them
        from toile.cli.data import data_command

        return data_command(arguments[1:])
    command = tyro.cli(
        Command,
        prog="toile",
        description=f"Clothes in pictures with latent diffusion. Version {__version__}.",
        args=arguments or ["--help"],
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes),
    )
    return command.run() or 0


if __name__ == "__main__":
    sys.exit(main())
