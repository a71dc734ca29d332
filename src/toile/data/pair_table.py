"""Pairs as a table: a CSV file, or JSON lines, with one row a pair.

Columns, of which `person` and `garment` are needed and the rest may be missing or empty:

    person, garment, mask, silhouette, parse, pose    files, relative to the list's own folder
    category                    upper, lower or dress; upper when missing
    caption, garment_caption    texts
    identifier, garment_identifier    names; the files' own when missing
    label_set                   what the parse map's numbers mean: lip (when missing) or atr
    paired                      yes or no: whether the person wears the garment; yes when missing
    split                       train or test; a row without one belongs to both
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from toile.data.dataset_folder import DatasetFolder
from toile.data.pair_list import read_text
from toile.data.parse_labels import LABEL_SETS, LabelSet
from toile.data.picture_files import FilePictures
from toile.data.record import CATEGORIES, GarmentPair
from toile.errors import ToileError

FILES = ("person", "garment", "mask", "silhouette", "parse", "pose")
TEXTS = ("category", "caption", "garment_caption", "identifier", "garment_identifier", "label_set")
COLUMNS = (*FILES, *TEXTS, "paired", "split")
TRUTH = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
"""What may stand in the column `paired`."""

Row = Mapping[str, str]


def is_pair_table(path: Path) -> bool:
    """Whether a path names a CSV or a JSON-lines file that is there."""
    return path.suffix.lower() in (".csv", ".jsonl") and path.is_file()


def open_pair_table(path: Path, split: str, *, paired: bool = True) -> list[GarmentPair]:
    """The pairs of a list, in its order, that belong to a split and are worn, or to be put on.

    Raises:
        ToileError: when the list is damaged or has none of them, a column is unknown, a name leads out of
            the list's folder, or a file is missing.
    """
    numbered = _csv_rows(path) if path.suffix.lower() == ".csv" else _json_rows(path)
    rows = [(number, row) for number, row in numbered if row.get("split", "") in ("", split)]
    chosen = [(number, row) for number, row in rows if _is_paired(path, number, row) is paired]
    if not chosen:
        kind = "" if paired else "un"
        raise ToileError(
            f"{path} has no {kind}paired row for the split {split!r} among its {len(numbered)}; "
            "look at its columns paired and split"
        )
    folder = DatasetFolder(path.parent)
    return [_pair(folder, path, number, row, paired) for number, row in chosen]


def _csv_rows(path: Path) -> list[tuple[int, Row]]:
    """The rows and the lines that they end on."""
    reader = csv.DictReader(read_text(path).splitlines(keepends=True), restkey="", strict=True)
    try:
        _check_columns(path, 1, reader.fieldnames or ())
        return [
            (reader.line_num, _checked(path, reader.line_num, row)) for row in reader if any(row.values())
        ]
    except csv.Error as error:
        raise ToileError(f"{path}, line {reader.line_num}, is no CSV ({error}); correct it") from error


def _json_rows(path: Path) -> list[tuple[int, Row]]:
    rows = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ToileError(f"{path}, line {number}, is no JSON ({error}); correct it") from error
        if not isinstance(row, dict):
            raise ToileError(f"{path}, line {number}, is no JSON object; write one pair a line")
        _check_columns(path, number, row)
        rows.append((number, _checked(path, number, {key: _text(value) for key, value in row.items()})))
    return rows


def _text(value: object) -> object:
    """JSON's own true, false and null as a CSV file would write them."""
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _check_columns(path: Path, number: int, names: object) -> None:
    unknown = [name for name in names if name not in COLUMNS]  # type: ignore[attr-defined]
    if unknown:
        raise ToileError(
            f"{path}, line {number}, has the column {unknown[0]!r}; the columns are {', '.join(COLUMNS)}"
        )


def _checked(path: Path, number: int, row: Mapping[str, object]) -> Row:
    """A row whose every value is a text, and that names both pictures."""
    found = {key: "" if value is None else value for key, value in row.items()}
    wrong = next((key for key, value in found.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise ToileError(
            f"{path}, line {number}: {wrong or 'a column too many'} is {found[wrong]!r}, no text"
        )
    texts = {key: str(value).strip() for key, value in found.items()}
    missing = next((key for key in ("person", "garment") if not texts.get(key)), None)
    if missing is not None:
        raise ToileError(f"{path}, line {number}, names no {missing}; each row needs person and garment")
    return texts


def _is_paired(path: Path, number: int, row: Row) -> bool:
    return TRUTH[_one_of(path, number, row, "paired", tuple(TRUTH), "").lower()]


def _one_of(path: Path, number: int, row: Row, column: str, allowed: tuple[str, ...], default: str) -> str:
    value = row.get(column, "") or default
    if value.lower() not in allowed:
        raise ToileError(
            f"{path}, line {number}: {column} is {value!r}; write one of {', '.join(filter(None, allowed))}"
        )
    return value


def _pair(folder: DatasetFolder, path: Path, number: int, row: Row, paired: bool) -> GarmentPair:
    where = f"{path}, line {number},"
    files = {name: folder.file(row[name], where) if row.get(name) else None for name in FILES}
    person, garment = files["person"], files["garment"]
    assert person is not None and garment is not None  # `_checked` has seen to it
    label_set = _one_of(path, number, row, "label_set", LABEL_SETS, "lip")
    category = _one_of(path, number, row, "category", CATEGORIES, "upper")
    known: LabelSet = next(name for name in LABEL_SETS if name == label_set.lower())
    return GarmentPair(
        identifier=row.get("identifier") or person.stem,
        category=next(name for name in CATEGORIES if name == category.lower()),
        caption=row.get("caption", ""),
        garment_caption=row.get("garment_caption", ""),
        source=str(path),
        pictures=FilePictures(
            person_file=person,
            garment_file=garment,
            mask_file=files["mask"],
            silhouette_file=files["silhouette"],
            parse_file=files["parse"],
            label_set=known,
            pose_file=files["pose"],
        ),
        has_mask=files["mask"] is not None,
        garment_identifier=row.get("garment_identifier") or ("" if paired else garment.stem),
        paired=paired,
    )
