import json
from pathlib import Path

import pytest
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.protocols.built_in import ANYDRESSING_MULTI
from toile.evaluation.protocols.dressing_list import read_dressing_list
from toile.evaluation.protocols.pairs import open_truths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in (("u.png", "red"), ("l.png", "blue")):
        Image.new("RGB", (20, 30), colour).save(tmp_path / name)
    return tmp_path


def write(folder: Path, *rows: object) -> Path:
    (folder / "dressing.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def row(**changes: object) -> dict[str, object]:
    return {
        "identifier": "a",
        "garments": {"upper": "u.png", "lower": "l.png"},
        "prompt": "outside",
    } | changes


def test_items_show_their_garments_and_prompt(folder: Path) -> None:
    (truth,) = read_dressing_list(write(folder, row()))
    shown = truth.show()
    assert [kind for kind, _ in shown.garments] == ["lower", "upper"] and shown.prompt == "outside"
    assert shown.target is None and shown.garments[0][1].getpixel((0, 0)) == (0, 0, 255)


def test_other_lists_have_other_hashes(folder: Path) -> None:
    first = open_truths(ANYDRESSING_MULTI, str(write(folder, row()))).rules.list_sha256
    second = open_truths(ANYDRESSING_MULTI, str(write(folder, row(prompt="inside")))).rules.list_sha256
    assert first != second


@pytest.mark.parametrize(
    "wrong",
    [
        row(garments={"upper": "../u.png"}),
        row(garments={"upper": "none.png"}),
        row(garments={}),
        row(garments=["u.png"]),
        row(identifier=""),
        {"identifier": "a"},
        "text",
    ],
)
def test_wrong_lines_are_refused(folder: Path, wrong: object) -> None:
    with pytest.raises(ToileError, match="line 2"):
        read_dressing_list(write(folder, row(identifier="good"), wrong))
