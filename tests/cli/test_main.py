import shutil
import subprocess
from pathlib import Path

import pytest

from toile import __version__
from toile.cli.commands import COMMANDS
from toile.cli.dolls import Dolls
from toile.cli.main import main, parse_command


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


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(capsys, option):
    assert run(option) == 0
    assert capsys.readouterr().out == f"toile {__version__}\n"


def test_a_command_says_how_it_is_called(capsys):
    assert run("restore", "--help") == 0
    assert capsys.readouterr().out.startswith("usage: toile restore [-h] ")


@pytest.fixture(scope="module")
def completion(tmp_path_factory) -> Path:
    script = tmp_path_factory.mktemp("completion") / "toile.sh"
    assert not run("--tyro-write-completion", "bash", str(script))
    return script


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["toile", ""], {"-h", "--help"} | {entry.name for entry in COMMANDS}),
        (["toile", "res"], {"restore"}),
        (["toile", "swap", "--side"], {"--side-by-side"}),
        (["toile", "comfyui", "in"], {"install"}),
    ],
)
def test_a_shell_completes_words(completion, words, completed):
    typed = " ".join(f"'{word}'" for word in words)
    ask = f"source {completion}; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _tyro_toile"
    show = 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f"{ask}; {show}"], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == completed


def test_completion_for_no_shell_is_a_usage_error(capsys):
    assert run("--tyro-write-completion") == 2


def test_arguments_become_a_command():
    command = parse_command(["dolls", "show", "--count", "3"])
    assert isinstance(command, Dolls)
    assert command.command.count == 3


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
