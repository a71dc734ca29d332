"""Lists with named columns, .csv and .jsonl."""

import json
import shutil
from pathlib import Path

import pytest
from tests.data.doctor.breaking import codes, found

from toile.data.doctor.checkup import check_dataset

HEAD = "person,garment,mask,category,split\n"


@pytest.fixture
def table(plain_folder: Path) -> Path:
    stems = sorted(path.stem for path in (plain_folder / "persons").iterdir())
    rows = [f"persons/{stem}.jpg,garments/{stem}.jpg,masks/{stem}_mask.png,upper,train\n" for stem in stems]
    path = plain_folder / "pairs.csv"
    path.write_text(HEAD + "".join(rows))
    return path


def test_a_healthy_list(table: Path) -> None:
    report = check_dataset(table)
    assert (report.layout, codes(report), report.pairs) == ("list of pairs", set(), 5)
    assert report.counts == {"person": 5, "garment": 5, "mask": 5}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("persons/gone.jpg,garments/00000000_00.jpg,,,", "list-names-missing"),
        ("/etc/passwd,garments/00000000_00.jpg,,,", "list-escapes"),
        ("persons/../../x.jpg,garments/00000000_00.jpg,,,", "list-escapes"),
        (",garments/00000000_00.jpg,,,", "list-malformed"),
        ("persons/00000000_00.jpg,garments/00000001_00.jpg,,shoes,", "list-malformed"),
        ("persons/00000000_00.jpg,garments/00000001_00.jpg,,upper,sometimes", "list-malformed"),
        ("persons/00000000_00.jpg,garments/00000001_00.jpg,,upper,train,more", "list-malformed"),
        ("persons/00000000_00.jpg", "list-malformed"),
        ("persons/00000000_00.jpg,garments/00000000_00.jpg,,,", "list-repeats"),
    ],
)
def test_a_bad_row_is_named(table: Path, row: str, code: str) -> None:
    table.write_text(table.read_text() + row + "\n")
    assert (code, "pairs.csv:7") in found(check_dataset(table))


def test_an_unknown_column(table: Path) -> None:
    table.write_text(table.read_text().replace("mask", "maske", 1))
    assert ("list-malformed", "pairs.csv:2") in found(check_dataset(table))


def test_an_empty_list(table: Path) -> None:
    table.write_text(HEAD)
    assert ("list-empty", "pairs.csv") in found(check_dataset(table))


def test_json_lines(table: Path) -> None:
    path = table.with_suffix(".jsonl")
    good = {
        "person": "persons/00000000_00.jpg",
        "garment": "garments/00000000_00.jpg",
        "paired": True,
        "mask": None,
    }
    path.write_text(f"{json.dumps(good)}\n\n{{\n[1]\n{json.dumps({**good, 'person': 3})}\n")
    assert found(check_dataset(path)) == {("list-malformed", f"pairs.jsonl:{line}") for line in (3, 4, 5)}


def test_a_leak_between_the_splits_of_a_list(table: Path) -> None:
    shutil.copy(table.parent / "persons/00000003_00.jpg", table.parent / "persons/again.jpg")
    table.write_text(table.read_text() + "persons/again.jpg,garments/00000001_00.jpg,,upper,test\n")
    report = check_dataset(table)
    assert ("leak", "persons/00000003_00.jpg") in found(report)
    assert report.excluded == ["00000003_00"]


def test_a_picture_named_twice_is_no_duplicate(table: Path) -> None:
    table.write_text(table.read_text() + "persons/00000000_00.jpg,garments/00000001_00.jpg,,upper,train\n")
    assert codes(check_dataset(table)) == set()
