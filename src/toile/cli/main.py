"""The command `toile`: one subcommand for each job, of which only the one that is wanted is imported."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from toile import __version__
from toile.cli.commands import COMMANDS, Entry, find_command
from toile.errors import ToileError

USAGE_ERROR = 2
INTERRUPTED = 130
HELP, VERSION = ("-h", "--help"), ("-V", "--version")
COMPLETION = ("--tyro-print-completion", "--tyro-write-completion")
"""Options of tyro's own that write a shell's script, which then knows all words without asking `toile`."""


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
    first, *rest = arguments or ["--help"]
    if first in VERSION:
        print(f"toile {__version__}")
        return 0
    if first in HELP:
        from toile.cli.help_page import help_page

        print(help_page(COMMANDS))
        return 0
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # it warns of parts that nobody asked for
    if first in COMPLETION:
        parse_any(arguments)
    entry = find_command(first)
    if entry.parses_itself:
        code: int = entry.load()(rest)
        return code
    return parse_command(arguments).run() or 0


def parse_command(arguments: list[str]) -> Any:
    """Read a command with its settings from the command line; its `run` does it and gives the exit code.

    Raises:
        ToileError: when there is no such command.
        SystemExit: after help, or when an argument is wrong, which is said then.
    """
    import tyro

    entry = find_command(arguments[0])
    return tyro.cli(
        entry.load(),
        prog=f"toile {entry.name}",
        args=arguments[1:],
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes),
    )


def parse_any(arguments: list[str]) -> Any:
    """Read a command from all that there are, each of which is imported: this is how completion knows them.

    Raises:
        SystemExit: as `parse_command`, and after a script for completion has been written.
    """
    from functools import reduce
    from operator import or_
    from typing import Annotated

    import tyro

    kinds: list[Any] = [Annotated[_settings(entry), tyro.conf.subcommand(entry.name)] for entry in COMMANDS]
    return tyro.cli(
        reduce(or_, kinds),
        prog="toile",
        args=arguments,
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes),
    )


def _settings(entry: Entry) -> Any:
    """The class of a command; of one that parses itself an empty one, since its words are not known here."""
    from dataclasses import make_dataclass

    return make_dataclass(entry.name, []) if entry.parses_itself else entry.load()


if __name__ == "__main__":
    sys.exit(main())
