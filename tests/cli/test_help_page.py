import pytest

from toile import __version__
from toile.cli.commands import COMMANDS
from toile.cli.help_page import NARROWEST, WIDEST, help_page


@pytest.mark.parametrize("width", [20, 60, 80, 100, 300])
def test_the_page_fills_the_terminal_and_no_more(width):
    lines = help_page(COMMANDS, width).splitlines()
    assert max(map(len, lines)) == min(max(width, NARROWEST), WIDEST)
    boxed = [line for line in lines if line.startswith(("│", "╭", "╰"))]
    assert len(set(map(len, boxed))) == 1


def test_the_page_says_everything():
    page = " ".join(help_page(COMMANDS, 300).replace("│", " ").split())
    assert __version__ in page
    for entry in COMMANDS:
        assert f"{entry.name} {entry.sentence}" in page


def test_the_width_is_the_terminal_s(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    assert max(map(len, help_page(COMMANDS).splitlines())) == 70
