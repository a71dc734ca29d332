import inspect
import subprocess
import sys

import pytest

from toile.cli.commands import COMMANDS, find_command
from toile.errors import ToileError

WITH_CLASS = [entry for entry in COMMANDS if not entry.parses_itself]


@pytest.mark.parametrize("entry", WITH_CLASS, ids=lambda entry: entry.name)
def test_the_sentence_is_the_one_of_the_class(entry):
    assert inspect.cleandoc(entry.load().__doc__).split("\n\n")[0].replace("\n", " ") == entry.sentence


@pytest.mark.parametrize("entry", WITH_CLASS, ids=lambda entry: entry.name)
def test_every_class_runs(entry):
    assert callable(entry.load().run)


@pytest.mark.parametrize(
    "entry", [entry for entry in COMMANDS if entry.parses_itself], ids=lambda entry: entry.name
)
def test_what_parses_itself_lists_what_there_is(entry, capsys):
    try:
        code = entry.load()(["--help"])
    except SystemExit as exit_:
        code = exit_.code
    assert code == 0
    assert f"toile {entry.name}" in capsys.readouterr().out


def test_no_class_brings_anything_heavy():
    code = "from toile.cli.commands import COMMANDS\n[e.load() for e in COMMANDS if not e.parses_itself]"
    heavy = {"torch", "diffusers", "transformers", "gradio", "fastapi", "ray", "webdataset"}
    check = f"{code}\nimport sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_names_differ():
    assert len({entry.name for entry in COMMANDS}) == len(COMMANDS)


def test_a_command_that_is_called_alike_is_named():
    with pytest.raises(ToileError, match="'tryonn'; write tryon, or"):
        find_command("tryonn")


def test_otherwise_all_are_named():
    with pytest.raises(ToileError, match=r"restore, .*, train, or"):
        find_command("zzz")
