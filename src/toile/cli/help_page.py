"""What `toile --help` shows: every subcommand with a sentence, printed without importing any of them."""

from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import wrap

from toile import __version__
from toile.cli.commands import Entry

OPTIONS = (
    ("-h, --help", "show this; behind a command, what it takes"),
    ("-V, --version", "show the version"),
)
NARROWEST, WIDEST = 50, 120
"""Columns of the page."""


def help_page(commands: Sequence[Entry], width: int | None = None) -> str:
    """The page, in boxes like those of a command's own help.

    Args:
        commands: what it names.
        width: columns; None is the terminal's.
    """
    width = min(max(width or get_terminal_size().columns, NARROWEST), WIDEST)
    parts = [
        ["usage: toile [-h] [-V] COMMAND ..."],
        wrap(f"Clothes in pictures with latent diffusion. Version {__version__}.", width),
        [
            *_box("options", OPTIONS, width),
            *_box("commands", [(entry.name, entry.sentence) for entry in commands], width),
        ],
        wrap("`toile COMMAND --help` says everything about a command.", width),
        wrap("`toile --tyro-write-completion bash FILE` writes a script that completes words.", width),
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _box(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Names on the left, what they mean beside them, a frame around them."""
    indent = max(len(name) for name, _ in rows) + 2
    inner = width - 4
    lines = [f"╭─ {title} ".ljust(width - 1, "─") + "╮"]
    for name, text in rows:
        for row, line in enumerate(wrap(text, inner - indent)):
            left = "" if row else name
            lines.append(f"│ {left.ljust(indent) + line:<{inner}} │")
    return [*lines, "╰" + "─" * (width - 2) + "╯"]
