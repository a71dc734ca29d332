"""DressCode's folders: `upper_body`, `lower_body`, `dresses`, each with `images` and its lists of pairs."""

from pathlib import Path

from toile.data.labels import Labels, read_labels
from toile.data.picture_files import FilePictures
from toile.data.record import Category, GarmentPair
from toile.data.viton_hd import first_file, read_pair_list
from toile.errors import ToileError

FOLDERS: dict[str, Category] = {"upper_body": "upper", "lower_body": "lower", "dresses": "dress"}


def is_dresscode(root: Path) -> bool:
    """Whether a folder has DressCode's layout, with at least one of its three categories."""
    return any((root / name / "images").is_dir() for name in FOLDERS)


def open_dresscode(root: Path, split: str) -> list[GarmentPair]:
    """The true pairs of a split, categories in DressCode's order.

    Raises:
        ToileError: when no category has a list of true pairs, or a file is missing.
    """
    found = [(name, _pair_list(root / name, split)) for name in FOLDERS if (root / name / "images").is_dir()]
    if all(path is None for _, path in found):
        raise ToileError(
            f"{root} has no list of true pairs for the split {split!r}: looked for {split}_pairs_paired.txt "
            f"and {split}_pairs.txt in {', '.join(name for name, _ in found)}"
        )
    return [pair for name, path in found if path is not None for pair in _pairs(root, name, path, split)]


def _pair_list(folder: Path, split: str) -> Path | None:
    return first_file(folder, f"{split}_pairs_paired.txt", f"{split}_pairs.txt")


def _pairs(root: Path, name: str, path: Path, split: str) -> list[GarmentPair]:
    folder = root / name
    labels = read_labels(folder, root / split, root)
    rows = dict.fromkeys(row[:2] for row in read_pair_list(path))
    return [_pair(folder, FOLDERS[name], person, garment, labels) for person, garment in rows]


def _pair(
    folder: Path, category: Category, person: str, garment: str, labels: dict[str, Labels]
) -> GarmentPair:
    stem, garment_stem = Path(person).stem, Path(garment).stem
    label = labels.get(stem) or labels.get(stem.removesuffix("_0")) or Labels()
    mask = first_file(folder / "agnostic_masks", f"{stem}.png", f"{stem}.jpg")
    pictures = FilePictures(
        person_file=folder / "images" / person,
        garment_file=folder / "images" / garment,
        mask_file=mask,
        silhouette_file=first_file(folder / "masks", f"{garment_stem}.png", f"{garment_stem}.jpg"),
    )
    return GarmentPair(
        identifier=f"{folder.name}/{stem.removesuffix('_0')}",
        category=category,
        caption=label.caption,
        garment_caption=label.garment_caption,
        source=str(folder),
        pictures=pictures,
        has_mask=mask is not None,
        reasons=label.reasons,
        hardness=label.hardness,
    )
