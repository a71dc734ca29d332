"""DressCode's folders: `upper_body`, `lower_body`, `dresses`, each with its pictures and its lists of pairs.

Source: DressCode (arXiv 2204.08532), github.com/aimagelab/dress-code: `images/STEM_0.jpg` the person,
`images/STEM_1.jpg` the garment, `masks/STEM_1.png` its silhouette, `label_maps/STEM_4.png` ATR's labels,
`keypoints/STEM_2.json` the joints at 384×512. Lists stand in each category's folder, or one for all of them
in the root, with the category's number as third column. Agnostic masks (`agnostic_masks`) are additions.
"""

from pathlib import Path

from toile.data.dataset_folder import DatasetFolder, checked_name
from toile.data.labels import Labels, read_labels
from toile.data.pair_list import read_pair_list
from toile.data.picture_files import FilePictures
from toile.data.record import Category, GarmentPair
from toile.errors import ToileError

FOLDERS: dict[str, Category] = {"upper_body": "upper", "lower_body": "lower", "dresses": "dress"}
DIGITS = dict(zip("012", FOLDERS, strict=True))
"""The root's lists number the categories in this order."""
Row = tuple[str, str, str]
"""A category's folder, a person's file, a garment's file."""


def is_dresscode(root: Path) -> bool:
    """Whether a folder has DressCode's layout, with at least one of its three categories."""
    return any((root / name / "images").is_dir() for name in FOLDERS)


def open_dresscode(root: Path, split: str, *, paired: bool = True) -> list[GarmentPair]:
    """The true pairs of a split, or the unpaired ones, categories in DressCode's order.

    Raises:
        ToileError: when neither a category nor the root has such a list, a list is damaged, a name leads out
            of the folder, or a file is missing.
    """
    rows = _category_rows(root, split, paired) or _root_rows(root, split, paired)
    if not rows:
        kind = "true" if paired else "unpaired"
        raise ToileError(
            f"{root} has no list of {kind} pairs for the split {split!r}: looked for "
            f"{' and '.join(_list_names(split, paired))} in {', '.join(FOLDERS)} and in the folder itself; "
            f"{'open it with paired=False, or ' if paired else ''}write such a list"
        )
    folder = DatasetFolder(root)
    labels = {name: read_labels(root / name, root / split, root) for name in {row[0] for row in rows}}
    return [_pair(folder, row, labels[row[0]], paired) for row in dict.fromkeys(rows)]


def _list_names(split: str, paired: bool) -> tuple[str, ...]:
    if not paired:
        return (f"{split}_pairs_unpaired.txt",)
    return (f"{split}_pairs_paired.txt", f"{split}_pairs.txt")


def _find_list(folder: Path, split: str, paired: bool) -> Path | None:
    return next((folder / n for n in _list_names(split, paired) if (folder / n).is_file()), None)


def _category_rows(root: Path, split: str, paired: bool) -> list[Row]:
    rows: list[Row] = []
    for name in FOLDERS:
        path = _find_list(root / name, split, paired)
        if path is not None and (root / name / "images").is_dir():
            rows += [(name, *_checked(path, row)) for row in read_pair_list(path)]
    return rows


def _root_rows(root: Path, split: str, paired: bool) -> list[Row]:
    """The rows of the one list in the root, categories brought into order."""
    path = _find_list(root, split, paired)
    if path is None:
        return []
    found = read_pair_list(path)
    wrong = next((row for row in found if len(row) < 3 or row[2] not in DIGITS), None)
    if wrong is not None:
        raise ToileError(
            f"{path} has the row {' '.join(wrong)!r}; a list for all categories ends each row with "
            "0 (upper), 1 (lower) or 2 (dresses)"
        )
    return sorted(
        ((DIGITS[row[2]], *_checked(path, row)) for row in found), key=lambda row: list(FOLDERS).index(row[0])
    )


def _checked(path: Path, row: tuple[str, ...]) -> tuple[str, str]:
    for name in row[:2]:
        checked_name(name, path)
    return row[0], row[1]


def _pair(folder: DatasetFolder, row: Row, labels: dict[str, Labels], paired: bool) -> GarmentPair:
    name, person, garment = row
    stem, garment_stem = Path(person).stem, Path(garment).stem
    number, garment_number = stem.removesuffix("_0"), garment_stem.removesuffix("_1")
    mine = labels.get(stem) or labels.get(number) or Labels()
    theirs = mine if paired else labels.get(f"{garment_number}_0") or labels.get(garment_number) or Labels()
    mask = folder.first(f"{name}/agnostic_masks", f"{stem}.png", f"{stem}.jpg")
    pictures = FilePictures(
        person_file=folder.file(f"{name}/images/{person}"),
        garment_file=folder.file(f"{name}/images/{garment}"),
        mask_file=mask,
        silhouette_file=folder.first(f"{name}/masks", f"{garment_stem}.png", f"{garment_stem}.jpg"),
        parse_file=folder.first(f"{name}/label_maps", f"{number}_4.png"),
        label_set="atr",
        pose_file=folder.first(f"{name}/keypoints", f"{number}_2.json"),
        pose_format="dresscode",
    )
    return GarmentPair(
        identifier=f"{name}/{number}",
        category=FOLDERS[name],
        caption=mine.caption,
        garment_caption=theirs.garment_caption,
        source=str(folder.root / name),
        pictures=pictures,
        has_mask=mask is not None,
        reasons=mine.reasons if paired else None,
        hardness=mine.hardness if paired else {},
        garment_identifier="" if paired else f"{name}/{garment_number}",
        paired=paired,
    )
