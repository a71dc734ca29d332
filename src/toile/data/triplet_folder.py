"""Triplets as a folder: `triplets.jsonl`, one line a triplet, and its pictures beside it.

OUT/triplets.jsonl                     written last, whole: a folder without it is not finished
OUT/pictures/000012-person.jpg         the photo
OUT/pictures/000012-lower.jpg          a garment on white
OUT/pictures/000012-lower-worn.png     where it is worn in the photo
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from toile.data.dataset_folder import DatasetFolder
from toile.data.picture_files import read_mask
from toile.data.triplets import Reason, Triplet, TripletGarment
from toile.errors import ToileError
from toile.files import check_writable, whole_file, write_text
from toile.images import load_photo

FILE, LOG = "triplets.jsonl", "triplets.unfinished.jsonl"
PICTURES = "pictures"
JPEG = {"quality": 95, "subsampling": 0}
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TripletCount:
    """What became of the pairs that triplets were made from."""

    triplets: int
    """Triplets in the folder."""
    made: int
    """Those of them, and those of the skipped, that were not there before."""
    skipped: Mapping[str, int]
    """How many pairs made none, by reason."""


@dataclass(frozen=True, kw_only=True)
class TripletFiles:
    """Reads a triplet's pictures from files."""

    photo: Path
    """The photo's file."""
    garments: Mapping[str, Path]
    """The garments' files, by kind."""
    regions: Mapping[str, Path]
    """Where they are worn, by kind."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return load_photo(self.photo)

    def garment(self, kind: str) -> Image.Image:
        """A garment on white, RGB."""
        return load_photo(self.garments[kind])

    def worn(self, kind: str) -> Image.Image:
        """Where it is worn, "L", 0 or 255."""
        return read_mask(self.regions[kind])


def write_triplets(
    triplets: Sequence[Triplet | Reason], folder: Path, *, source: str, progress: bool = True
) -> TripletCount:
    """Write triplets into a folder, one after another; a run that was stopped goes on where it was.

    Args:
        triplets: what to write; a reason in the place of a triplet is counted, and so is one whose pictures
            cannot be read.
        folder: where to.
        source: says what is written and how, for a run that goes on: another one is refused.
        progress: show a bar.

    Raises:
        ToileError: when the folder cannot be written, or holds other triplets, or not one could be made.
    """
    check_writable(folder / PICTURES)
    head: Row = {"source": source, "count": len(triplets)}
    finished = _read_rows(folder / FILE) if (folder / FILE).is_file() else None
    done = _taken_up(folder / LOG) if finished is None else finished
    if done and done[0] != head:
        raise ToileError(
            f"{folder} holds triplets of {done[0].get('source')!r}, {done[0].get('count')} pairs, and not of "
            f"{source!r}, {len(triplets)} pairs; write into another folder"
        )
    made = 0
    if finished is None:
        made = _write_rest(triplets, folder, done or [head], progress)
        done = _read_rows(folder / LOG)
        _check_any(done[1:], folder / LOG)
        write_text((folder / LOG).read_text(encoding="utf-8"), folder / FILE)
        (folder / LOG).unlink()
    skipped = _skipped(done[1:])
    return TripletCount(triplets=len(done) - 1 - skipped.total(), made=made, skipped=dict(skipped))


def open_triplets(folder: Path | str) -> list[Triplet]:
    """The triplets that `write_triplets` wrote into a folder, their pictures still unread.

    Raises:
        ToileError: when there are none, the writing was not finished, or the list is damaged.
    """
    root = Path(folder)
    if not (root / FILE).is_file():
        state = "was not finished; write the triplets again, it goes on where it stopped"
        problem = state if (root / LOG).is_file() else f"holds no {FILE}; make one with toile data triplets"
        raise ToileError(f"{root} {problem}")
    files = DatasetFolder(root)
    rows = _read_rows(root / FILE)[1:]
    return [
        _triplet(files, root / FILE, number, row)
        for number, row in enumerate(rows, 2)
        if "skipped" not in row
    ]


def _write_rest(triplets: Sequence[Triplet | Reason], folder: Path, done: list[Row], progress: bool) -> int:
    write_text("".join(f"{json.dumps(row)}\n" for row in done), folder / LOG)
    missing = range(len(done) - 1, len(triplets))
    with (folder / LOG).open("a", encoding="utf-8", buffering=1) as log:
        for index in tqdm(
            missing, initial=missing.start, total=len(triplets), unit="pair", disable=not progress
        ):
            try:
                found = triplets[index]
                row = (
                    {"skipped": found} if isinstance(found, str) else _written(found, folder, f"{index:06d}")
                )
            except ToileError as error:
                row = {"skipped": "unreadable", "error": str(error)}
            log.write(json.dumps(row) + "\n")
    return len(missing)


def _check_any(rows: Sequence[Row], log: Path) -> None:
    """Refuse to call nothing a dataset, and leave nothing of it."""
    if all("skipped" in row for row in rows):
        log.unlink()
        reasons = ", ".join(f"{reason} {number}" for reason, number in _skipped(rows).items())
        raise ToileError(
            f"none of the {len(rows)} pairs makes a triplet ({reasons}); "
            "give other pairs, or a parser to those without a parse map"
        )


def _skipped(rows: Sequence[Row]) -> Counter[str]:
    return Counter(row["skipped"] for row in rows if "skipped" in row)


def _written(triplet: Triplet, folder: Path, stem: str) -> Row:
    """Write a triplet's pictures, and say in a row what they are."""
    person = f"{PICTURES}/{stem}-person.jpg"
    _save(triplet.person, folder / person)
    garments = []
    for garment in triplet.garments:
        picture, worn = (f"{PICTURES}/{stem}-{garment.kind}{end}" for end in (".jpg", "-worn.png"))
        _save(triplet.garment(garment.kind), folder / picture)
        _save(triplet.worn(garment.kind), folder / worn)
        garments.append(asdict(garment) | {"picture": picture, "worn": worn})
    named = {"identifier": triplet.identifier, "source": triplet.source, "caption": triplet.caption}
    return named | {"person": person, "garments": garments}


def _save(picture: Image.Image, path: Path) -> None:
    with whole_file(path) as beside:
        if path.suffix == ".png":
            picture.save(beside, format="PNG")
        else:
            picture.save(beside, format="JPEG", **JPEG)


def _taken_up(path: Path) -> list[Row]:
    """The rows of a log, less a last one that was cut short."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        write_text(whole, path)
    return _read_rows(path)


def _read_rows(path: Path) -> list[Row]:
    rows: list[Row] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise _damaged(path, number, error) from error
            if not isinstance(row, dict):
                raise _damaged(path, number, "not an object")
            rows.append(row)
    return rows


def _triplet(files: DatasetFolder, path: Path, number: int, row: Row) -> Triplet:
    try:
        told = [dict(garment) for garment in row["garments"]]
        pictures = {one["kind"]: files.file(one.pop("picture"), path) for one in told}
        regions = {one["kind"]: files.file(one.pop("worn"), path) for one in told}
        return Triplet(
            identifier=str(row["identifier"]),
            source=str(row["source"]),
            caption=str(row["caption"]),
            garments=tuple(TripletGarment(**one) for one in told),
            pictures=TripletFiles(photo=files.file(row["person"], path), garments=pictures, regions=regions),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, number, error) from error


def _damaged(path: Path, number: int, error: object) -> ToileError:
    return ToileError(f"{path}, line {number}, is damaged ({error}); write the triplets again")
