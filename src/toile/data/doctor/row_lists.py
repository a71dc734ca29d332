"""Reads a list of pairs with named columns, .csv or .jsonl, with suspicion; it is a dataset by itself."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toile.data.doctor.findings import Finding
from toile.data.doctor.inventory import DataFile, Inventory, Item
from toile.data.doctor.layout import Role
from toile.data.doctor.lists import escapes
from toile.data.pair_table import COLUMNS, TRUTH
from toile.data.parse_labels import LABEL_SETS
from toile.data.record import CATEGORIES

ROLES: tuple[Role, ...] = ("person", "garment", "mask", "silhouette", "parse", "pose")
"""The columns that name files; the first two are needed."""
SPLITS = ("train", "test")
"""What may stand in the column `split`, besides nothing."""


def row_inventory(path: Path, splits: defaultdict[str, set[str]]) -> Inventory:
    """Read a list's rows as pairs; their files are named relative to the list's folder.

    Args:
        path: the list.
        splits: takes up the splits that each picture is listed in.
    """
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    items: list[Item] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in _rows(path, findings):
        place = f"{path.name}:{line}"
        problem = _problem(row)
        if problem is not None:
            findings.append(Finding(code=problem[0], file=place, detail=problem[1]))
            continue
        files = tuple(DataFile(str(row[role]), role, role) for role in ROLES if row.get(role))
        first = seen.setdefault((files[0].name, files[1].name), line)
        if first != line:
            findings.append(
                Finding(code="list-repeats", file=place, detail=f"it says what line {first} says")
            )
            continue
        there = tuple(file for file in files if _is_there(path.parent, file, place, findings))
        counts.update(file.folder for file in there)
        for file in there:
            splits[file.name] |= set(SPLITS) & {row.get("split")}
        if there:
            items.append(_item(row, there))
    if not items and not findings:
        findings.append(Finding(code="list-empty", file=path.name))
    return Inventory(items=items, counts=counts, findings=findings)


def _rows(path: Path, findings: list[Finding]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines with their fields, as far as they can be understood."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if path.suffix == ".csv":
                reader = csv.DictReader(stream)
                for row in reader:
                    surplus = None in row or None in row.values()
                    yield reader.line_num, {"": "fields"} if surplus else dict(row)
            else:
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield number, _json_row(line)
    except (UnicodeDecodeError, csv.Error) as error:
        findings.append(Finding(code="list-malformed", file=path.name, detail=" ".join(str(error).split())))
    except OSError as error:
        findings.append(Finding(code="file-unreadable", file=path.name, detail=error.strerror or str(error)))


def _json_row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {"": " ".join(str(error).split())}
    return row if isinstance(row, dict) else {"": f"{type(row).__name__} instead of an object"}


def _problem(row: dict[str, Any]) -> tuple[str, str] | None:
    """The code and detail of a row that no reader would take."""
    unknown = [name for name in row if name not in COLUMNS]
    if unknown:
        said = row[""] if unknown == [""] else f"the column {unknown[0]!r} is unknown"
        return "list-malformed", f"it cannot be read: {said}"
    for name, value in row.items():
        if not isinstance(value, str | bool | None) or (name in ROLES and not str(value or "").isprintable()):
            return "list-malformed", f"{name} is {value!r}"
        if name in ROLES and isinstance(value, str) and escapes(value):
            return "list-escapes", repr(value)
    lacking = next((name for name in ROLES[:2] if not row.get(name)), None)
    if lacking is not None:
        return "list-malformed", f"it names no {lacking}"
    allowed = {"category": CATEGORIES, "label_set": LABEL_SETS, "paired": tuple(TRUTH), "split": SPLITS}
    for name, options in allowed.items():
        value = str(row.get(name) or "").lower()
        if value and value not in options:
            return (
                "list-malformed",
                f"{name} is {value!r} instead of one of {', '.join(filter(None, options))}",
            )
    return None


def _is_there(root: Path, file: DataFile, place: str, findings: list[Finding]) -> bool:
    path = root / file.name
    if not path.is_file():
        findings.append(Finding(code="list-names-missing", file=place, detail=file.name))
    elif not path.resolve().is_relative_to(root.resolve()):
        findings.append(Finding(code="link-outside", file=file.name, detail=f"to {path.resolve()}"))
    else:
        return True
    return False


def _item(row: dict[str, Any], files: tuple[DataFile, ...]) -> Item:
    """A row's pair; without a category it is an upper garment, without a label set the parse map is LIP's."""
    return Item(
        identifier=str(row.get("identifier") or Path(str(row["person"])).stem),
        group="",
        category=next((name for name in CATEGORIES if name == str(row.get("category")).lower()), "upper"),
        files=files,
        label_set=next((name for name in LABEL_SETS if name == str(row.get("label_set")).lower()), "lip"),
    )
