"""docs/fidelity names functions and tests: they must exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/fidelity/*.md"))}


def named(pattern: str) -> list[str]:
    """Everything that a pattern finds in any of the papers' pages."""
    return sorted({name for text in TEXTS.values() for name in re.findall(pattern, text)})


def find(name: str) -> object:
    """Import the longest module in a dotted name, and take the rest as attributes."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        try:
            found: object = importlib.import_module(".".join(words[:count]))
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            found = getattr(found, word)
        return found
    raise ModuleNotFoundError(name)


def test_there_is_a_page_for_each_system():
    systems = {path.parent.name for path in ROOT.glob("src/toile/*/objective.py")} - {"diffusion"}
    assert set(TEXTS) == systems


@pytest.mark.parametrize("name", named(r"`(toile\.[\w.]+)`"))
def test_every_function_is_there(name):
    assert find(name) is not None


@pytest.mark.parametrize("place", named(r"`(tests/[\w./]+(?:::\w+)?)`"))
def test_every_proof_is_there(place):
    path, _, name = place.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert not name or f"\ndef {name}(" in source


@pytest.mark.parametrize("paper", TEXTS)
def test_every_equation_has_a_function_and_a_proof(paper):
    lines = TEXTS[paper].splitlines()
    rows = [line for line in lines if line.startswith("| ") and "in the paper" not in line]
    assert len(rows) >= 9
    for row in rows:
        assert "`toile." in row and "`tests/" in row, row


@pytest.mark.parametrize("paper", TEXTS)
def test_every_silence_is_marked(paper):
    points = [line for line in TEXTS[paper].splitlines() if re.match(r"\d+\. ", line)]
    assert len(points) >= 10
    for point in points:
        assert "`Paper:`" in point or "`Ours:`" in point, point
