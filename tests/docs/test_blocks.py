"""Every command and every code block of the documentation is run, or says why not and is parsed."""

import os
import re
import shutil
import subprocess
from glob import glob
from pathlib import Path

import pytest
from tests.docs.blocks import COMMANDS, PAGES, ROOT, Block, blocks, command_lines
from tests.docs.parsing import check_code, module_file, parse_command
from tests.docs.scratch import draw

from toile.bundled import is_bundled
from toile.cli.commands import COMMANDS as ENTRIES
from toile.cli.main import main

EVERY = [(page, blocks(page)) for page in PAGES]
RUN = [pytest.param(found, id=str(page.relative_to(ROOT))) for page, found in EVERY]
NOT_RUN = [pytest.param(block, id=block.place) for _, found in EVERY for block in found if not block.is_run]
PLAIN = ("cp", "mkdir", "ls", "cat", "head")
"""Programs of the shell that a block may use when it is run."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    draw(folder)
    return folder


@pytest.mark.parametrize("block", [block for _, found in EVERY for block in found], ids=lambda b: b.place)
def test_every_block_is_marked(block: Block) -> None:
    marked = block.is_run or block.mark.startswith("not run: ")
    assert marked, f"{block.place} has no mark: see tests/docs/blocks.py"


@pytest.mark.parametrize("block", NOT_RUN)
def test_what_is_not_run_is_parsed(block: Block) -> None:
    if block.language not in COMMANDS:
        check_code(block.text, block.place)
        return
    for words in command_lines(block.text):
        parse_command(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_within_the_text_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`toile ([a-z]+)", text):
        assert name in {entry.name for entry in ENTRIES}, name
    for module in re.findall(r"`python -m ([\w.]+)", text):
        assert module_file(module), module
    for name in re.findall(r"`make\s([a-z]+)", text):
        parse_command(["make", name])


@pytest.mark.skipif(not is_bundled("twgtm"), reason="the bundled weights have not been trained yet")
@pytest.mark.parametrize("found", [row for row in RUN if any(block.is_run for block in row.values[0])])
def test_what_is_run_runs(
    found: list[Block], drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "page"
    shutil.copytree(drawn, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TOILE_WARDROBE", str(tmp_path / "wardrobe"))
    names: dict[str, object] = {}
    for block in found:
        if block.is_run and block.language in COMMANDS:
            for words in block.commands():
                assert _run(words) == 0, f"{block.place}: {' '.join(words)}"
        elif block.is_run:
            exec(compile(block.changed(), block.place, "exec"), names)


def _run(words: list[str]) -> int:
    """Run a command here: `toile` in this process, which has its libraries already."""
    words = [name for word in words for name in (sorted(glob(word)) or [word])]
    if words[0] == "toile":
        try:
            return main(words[1:])
        except SystemExit as stop:  # the parser's, when it does not know an option
            return int(stop.code or 0)
    assert words[0] in PLAIN, f"{words[0]} is not run here"
    return subprocess.run(words, check=False, env={"PATH": os.environ["PATH"]}).returncode
