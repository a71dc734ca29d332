import json
from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import labels, save, write_plain

from toile.data.open import open_pairs
from toile.data.pair_table import open_pair_table
from toile.data.parse_labels import LIP
from toile.errors import ToileError

HEADER = "person,garment,mask,category,caption,paired,split\n"
ROW = {"person": "persons/a.jpg", "garment": "garments/a.png"}


def table(root: Path, content: str, name: str = "list.csv") -> Path:
    write_plain(root, ("a", "b"))
    (root / name).write_text(content)
    return root / name


def test_csv_and_json_lines_give_the_same(tmp_path: Path) -> None:
    content = HEADER + 'persons/b.jpg,garments/b.png,,dress,"a woman, dressed",,\n'
    content += "persons/a.jpg,garments/a.png,masks/a.png,,,yes,train\n"
    path = table(tmp_path, content)
    rows = [
        {"person": "persons/b.jpg", "garment": "garments/b.png", "category": "dress",
         "caption": "a woman, dressed", "mask": None},
        {**ROW, "mask": "masks/a.png", "paired": True, "split": "train"},
    ]  # fmt: skip
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for name in (path, tmp_path / "list.jsonl"):
        first, second = open_pairs(str(name))
        assert (first.identifier, first.category, first.caption) == ("b", "dress", "a woman, dressed")
        assert (second.identifier, second.category, second.has_mask) == ("a", "upper", True)
        assert [pair.identifier for pair in open_pairs(f"{name}:test")] == ["b"]


def test_unpaired_rows_name_the_other_garment(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "persons/a.jpg,garments/b.png,,lower,,no,\n")
    (pair,) = open_pairs(str(path), paired=False)
    assert (pair.identifier, pair.garment_identifier, pair.paired) == ("a", "b", False)
    with pytest.raises(ToileError, match="no paired row"):
        open_pairs(str(path))


def test_label_sets(tmp_path: Path) -> None:
    path = table(tmp_path, json.dumps({**ROW, "parse": "p.png", "label_set": "atr"}) + "\n", "list.jsonl")
    save(labels(), tmp_path / "p.png")
    (pair,) = open_pair_table(path, "train")
    assert pair.parse is not None
    assert set(np.unique(np.asarray(pair.parse))) == {0, LIP["upper"], LIP["trousers"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("person,garmnet\na,b\n", "line 1, has the column 'garmnet'"),
        (HEADER, "no paired row"),
        (HEADER + "persons/a.jpg,,,,,,\n", "line 2, names no garment"),
        (HEADER + "persons/a.jpg,garments/a.png,,hat,,,\n", "category is 'hat'"),
        (HEADER + "persons/a.jpg,garments/a.png,,,,maybe,\n", "paired is 'maybe'"),
        (HEADER + "persons/a.jpg,garments/a.png,,,,,,more\n", "a column too many"),
        (HEADER + "../a.jpg,garments/a.png,,,,,\n", "leads out"),
        (HEADER + "/etc/passwd,garments/a.png,,,,,\n", "leads out"),
        (HEADER + '"persons/a\nb.jpg",garments/a.png,,,,,\n', "cannot be a file"),
        (HEADER + "persons/z.jpg,garments/a.png,,,,,\n", "person picture is missing"),
        (HEADER + '"persons/a.jpg', "is no CSV"),
    ],
)
def test_damaged_csv(tmp_path: Path, content: str, message: str) -> None:
    path = table(tmp_path, content)
    with pytest.raises(ToileError, match=message) as caught:
        open_pair_table(path, "train")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "is no JSON"),
        (json.dumps({**ROW, "mask": 3}), "mask is 3"),
        (json.dumps({**ROW, "mesk": "a"}), "column 'mesk'"),
    ],
)
def test_damaged_json_lines(tmp_path: Path, line: str, message: str) -> None:
    path = table(tmp_path, json.dumps(ROW) + "\n" + line, "list.jsonl")
    with pytest.raises(ToileError, match=f"line 2.*{message}"):
        open_pair_table(path, "train")
