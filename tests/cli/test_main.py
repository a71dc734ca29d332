import subprocess
import sys
import time

import pytest

from toile import __version__
from toile.cli.main import main


def run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as exit_:
        return exit_.code


def test_help_names_every_command(capsys):
    assert run("--help") == 0
    out = capsys.readouterr().out
    pictures = ("restore", "tryon", "takeoff", "swap", "dress", "wardrobe")
    for command in (*pictures, "demo", "dolls", "analyse", "train"):
        assert command in out


def test_no_argument_is_help(capsys):
    assert run() == 0
    assert "restore" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["restore"], "PHOTO"),
        (["tryon"], "--candidates"),
        (["takeoff"], "predicted"),
        (["swap"], "--side-by-side"),
        (["dress"], "--prompt"),
        (["wardrobe"], "remove"),
        (["wardrobe", "add"], "KIND=PICTURE"),
        (["analyse"], "parameters"),
        (["analyse", "parameters"], "--thresholds"),
        (["demo"], "--count"),
        (["dolls"], "show"),
        (["dolls", "make"], "--layout"),
        (["dolls", "show"], "--mode"),
        (["train"], "base-vae"),
    ],
)
def test_every_command_has_help(capsys, command, word):
    assert run(*command, "--help") == 0
    assert word in capsys.readouterr().out


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"toile {__version__}\n"


def test_the_version_is_the_package_s():
    from importlib.metadata import version

    assert version("toile") == __version__


@pytest.mark.parametrize("arguments", [["sew"], ["restore", "--colour", "red"], ["dolls"], ["analyse"]])
def test_what_is_not_there_is_a_usage_error(capsys, arguments):
    assert run(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_user_s_mistake_is_one_line(capsys):
    assert run("dolls", "show", "--count", "0") == 2
    err = capsys.readouterr().err
    assert err.startswith("toile: ") and err.count("\n") == 1


def test_help_does_not_wait_for_torch():
    code = "import sys, toile.cli.main; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    started = time.perf_counter()
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert time.perf_counter() - started < 20  # under two seconds on an idle machine
