"""The text files of a dataset: lists of pairs, true and mixed, and `dolls.jsonl` with all that is known."""

import json
from pathlib import Path
from typing import Any

from toile.dolls.layouts import CATEGORY_DIGITS, CATEGORY_FOLDERS, SPLITS, Layout, garment_name, person_name
from toile.files import write_text

Row = dict[str, Any]
LABELS_FILE, LOG_FILE = "dolls.jsonl", "dolls.log"


def read_rows(out: Path) -> dict[tuple[str, int], Row]:
    """All dolls of a dataset by split and seed, from `dolls.jsonl` and an interrupted run's log."""
    rows: dict[tuple[str, int], Row] = {}
    for name in (LABELS_FILE, LOG_FILE):
        path = out / name
        if not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:  # The run was killed in the middle of this line: its doll is drawn again.
                continue
            rows[row["split"], row["seed"]] = row
    return dict(sorted(rows.items()))


def take_up(out: Path) -> dict[tuple[str, int], Row]:
    """All dolls of a dataset; the log of a killed run is put away first, its broken last line with it."""
    rows = read_rows(out)
    if (out / LOG_FILE).exists():
        write_lists(out)
        (out / LOG_FILE).unlink()
    return rows


def write_lists(out: Path) -> None:
    """Writes `dolls.jsonl` and every list of pairs from what has been drawn so far."""
    rows = read_rows(out)
    write_text("".join(json.dumps(row) + "\n" for row in rows.values()), out / LABELS_FILE)
    for split in SPLITS:
        mine = [row for (of, _), row in rows.items() if of == split]
        if mine:
            layout = json.loads((out / f"dolls_{split}.json").read_text(encoding="utf-8"))["layout"]
            (_viton_hd_lists if layout == "viton-hd" else _dresscode_lists)(out, split, mine)


def mixed(rows: list[Row]) -> list[tuple[Row, Row]]:
    """Each person with the next one's garment."""
    return [(row, rows[(index + 1) % len(rows)]) for index, row in enumerate(rows)]


def _line(person: Row, garment: Row, layout: Layout, between: str, *more: str) -> str:
    names = (person_name(person["seed"], layout), garment_name(garment["seed"], layout), *more)
    return between.join(names) + "\n"


def _viton_hd_lists(out: Path, split: str, rows: list[Row]) -> None:
    paired = "".join(_line(row, row, "viton-hd", " ") for row in rows)
    unpaired = "".join(_line(person, garment, "viton-hd", " ") for person, garment in mixed(rows))
    write_text(paired, out / f"{split}_pairs.txt")
    write_text(unpaired, out / f"{split}_pairs_unpaired.txt")


def _dresscode_lists(out: Path, split: str, rows: list[Row]) -> None:
    """One list a category, and one for all with the category's digit in a third column."""
    everything: dict[str, list[str]] = {"paired": [], "unpaired": []}
    for category, folder in CATEGORY_FOLDERS.items():
        mine = [row for row in rows if row["category"] == category]
        if not mine:
            continue
        for kind, pairs in (("paired", [(row, row) for row in mine]), ("unpaired", mixed(mine))):
            lines = [_line(person, garment, "dresscode", "\t") for person, garment in pairs]
            _write_kind(out / folder, split, kind, lines)
            digit = str(CATEGORY_DIGITS[category])
            everything[kind] += [
                _line(person, garment, "dresscode", "\t", digit) for person, garment in pairs
            ]
    for kind, lines in everything.items():
        _write_kind(out, split, kind, lines)


def _write_kind(folder: Path, split: str, kind: str, lines: list[str]) -> None:
    write_text("".join(lines), folder / f"{split}_pairs_{kind}.txt")
    if (split, kind) == ("train", "paired"):  # DressCode's own name for its only list of training pairs.
        write_text("".join(lines), folder / "train_pairs.txt")
