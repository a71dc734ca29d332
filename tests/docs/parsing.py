"""Commands and code that are not run are parsed: by the parsers that would read them if they were."""

import ast
import importlib
import re
import runpy
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import tyro
from tests.docs.blocks import ROOT

from toile.cli.main import run_command


class Parsed(Exception):
    """The parser has read everything, and the command is not to be run."""


def parse_command(words: list[str]) -> None:
    """Parse a command line.

    Raises:
        AssertionError: when its program is not known here, or has no such options.
    """
    program, *arguments = words
    if program in ("accelerate", "torchrun"):
        parse_command(_launched(program, arguments))
    elif program == "python":
        _parse_module(arguments)
    elif program not in OTHERS:
        assert program in PARSERS, f"nobody parses {program!r} here; write how, or run it"
        PARSERS[program](arguments)


def _parse_toile(arguments: list[str]) -> None:
    if arguments in ([], ["train"], ["data"], ["--version"]):
        return
    _until_parsed(lambda: run_command(arguments), f"toile {' '.join(arguments)}")


def _until_parsed(run: Callable[[], object], what: str) -> None:
    """Run something up to the point where its arguments are parsed, by tyro or argparse."""

    def stopping(read: Callable[..., Any]) -> Callable[..., None]:
        def parse_and_stop(*arguments: Any, **keywords: Any) -> None:
            read(*arguments, **keywords)
            raise Parsed

        return parse_and_stop

    plain = ArgumentParser.parse_args
    try:
        with (
            patch.object(tyro, "cli", stopping(tyro.cli)),
            patch.object(ArgumentParser, "parse_args", stopping(plain)),
        ):
            run()
    except Parsed:
        return
    except SystemExit as stop:
        assert not stop.code, f"this cannot be parsed: {what}"  # 0 is that of --help
        return
    raise AssertionError(f"this was run, not parsed: {what}")


def _parse_module(arguments: list[str]) -> None:
    """`python -m benchmarks.igr ...` and `python benchmarks/igr.py ...`."""
    as_module = arguments[0] == "-m"
    name, *rest = arguments[as_module:]
    path = module_file(name) if as_module else ROOT / name
    assert path is not None and path.is_file(), f"there is no {name}"
    source = path.read_text(encoding="utf-8")
    if "tyro.cli(" in source or "parse_args(" in source:
        with patch.object(sys, "argv", [name, *rest]):
            _until_parsed(lambda: runpy.run_path(str(path), run_name="__main__"), " ".join(arguments))


def module_file(name: str) -> Path | None:
    """The file that `python -m NAME` runs; None where the project has none."""
    place = Path(*name.split("."))
    tried = (ROOT / place.with_suffix(".py"), ROOT / "src" / place.with_suffix(".py"), ROOT / "src" / place)
    found = (path / "__main__.py" if path.suffix != ".py" else path for path in tried)
    return next((path for path in found if path.is_file()), None)


def _parse_make(arguments: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in arguments:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"there is no target {target}"


def _parse_pip(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in re.findall(r"\[([\w,]+)\]", " ".join(arguments)):
        missing = set(extras.split(",")) - set(project["optional-dependencies"])
        assert not missing, f"there are no extras {missing}"


def _launched(program: str, arguments: list[str]) -> list[str]:
    """The command that a launcher starts, after its own parser has read what is its own."""
    if program == "accelerate":
        from accelerate.commands.launch import launch_command_parser

        assert arguments[0] == "launch"
        options = launch_command_parser().parse_args(arguments[1:])
    else:
        from torch.distributed.run import get_args_parser

        options = get_args_parser().parse_args(arguments)
    assert options.module, f"{program} starts a script here; start the module toile with -m"
    return [options.training_script, *options.training_script_args]


PARSERS: dict[str, Callable[[list[str]], None]] = {
    "toile": _parse_toile,
    "make": _parse_make,
    "pip": _parse_pip,
}
OTHERS = (".", "cp", "curl", "docker", "export", "git", "ln", "mkdir", "pre-commit", "pytest", "ray")
"""Programs of others, whose options are theirs."""


def check_code(source: str, place: str) -> None:
    """Compile code, and import what it imports.

    Raises:
        AssertionError: when it cannot be compiled, or imports what is not there.
    """
    tree = ast.parse(source, filename=place)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name), f"{place}: {node.module} has no {name.name}"
