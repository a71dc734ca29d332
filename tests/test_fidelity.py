"""docs/fidelity/igr.md names functions and tests: they must exist."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/fidelity/igr.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(toile\.[\w.]+)`", TEXT))))
def test_every_function_is_there(name):
    assert find(name) is not None


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`(tests/[\w./]+(?:::\w+)?)`", TEXT))))
def test_every_proof_is_there(place):
    path, _, name = place.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    assert not name or f"\ndef {name}(" in source


def test_every_equation_has_a_function_and_a_proof():
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and "in the paper" not in line]
    assert len(rows) >= 9
    for row in rows:
        assert "`toile." in row and "`tests/" in row, row


def test_every_silence_is_marked():
    points = [line for line in TEXT.splitlines() if re.match(r"\d+\. ", line)]
    assert len(points) >= 10
    for point in points:
        assert "`Paper:`" in point or "`Ours:`" in point, point
