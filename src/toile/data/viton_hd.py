"""VITON-HD's folders: lists `{split}_pairs.txt`, and in `{split}` one folder for each kind of picture.

Source: VITON-HD (arXiv 2103.16874) and its published archive: `image`, `cloth`, `cloth-mask`,
`image-parse-v3` (LIP's labels as palette PNGs), `openpose_json` (BODY_25). Its train_pairs.txt and
test_pairs.txt give each person another person's garment: the first column alone says which persons there
are, and the whole row is an unpaired try-on. Agnostic masks (`agnostic-mask`) are later additions that go
around with it.
"""

from pathlib import Path

from toile.data.dataset_folder import DatasetFolder, checked_name
from toile.data.labels import Labels, read_labels
from toile.data.pair_list import read_pair_list
from toile.data.picture_files import FilePictures
from toile.data.record import GarmentPair
from toile.errors import ToileError

PARSE_FOLDERS = ("image-parse-v3", "image-parse")
POSE_FOLDERS = ("openpose_json", "openpose-json")
"""VITON-HD's own name, and the one of archives with the older VITON test set's names."""


def is_viton_hd(root: Path) -> bool:
    """Whether a folder has VITON-HD's layout."""
    return any(
        (root / split / "image").is_dir() and (root / split / "cloth").is_dir() for split in ("train", "test")
    )


def open_viton_hd(root: Path, split: str, *, paired: bool = True) -> list[GarmentPair]:
    """The true pairs of a split, each listed person with the garment of the same name; or the unpaired ones.

    Unpaired rows come from `{split}_pairs_unpaired.txt`, or else from `{split}_pairs.txt`, whose second
    column is VITON-HD's own unpaired list.

    Raises:
        ToileError: when the list or a file is missing, a name leads out of the folder, or `paired` is False
            and the list holds true pairs only.
    """
    if not (root / split).is_dir():
        raise ToileError(f"{root} has no split {split!r}; it has no folder {root / split}")
    folder, labels = DatasetFolder(root), read_labels(root / split, root)
    if paired:
        path = root / f"{split}_pairs.txt"
        rows = [(person, "") for person in dict.fromkeys(row[0] for row in read_pair_list(path))]
    else:
        path, rows = _unpaired_rows(root, split)
    for name in {name for row in rows for name in row if name}:
        checked_name(name, path)
    return [_pair(folder, split, person, garment, labels) for person, garment in rows]


def _unpaired_rows(root: Path, split: str) -> tuple[Path, list[tuple[str, str]]]:
    own = root / f"{split}_pairs_unpaired.txt"
    path = own if own.is_file() else root / f"{split}_pairs.txt"
    rows = [row[:2] for row in read_pair_list(path)]
    others = [(person, garment) for person, garment in dict.fromkeys(rows) if person != garment]
    if not others:
        raise ToileError(f"{path} lists true pairs only; write the unpaired ones into {own}")
    return path, others


def _pair(
    folder: DatasetFolder, split: str, person: str, garment: str, labels: dict[str, Labels]
) -> GarmentPair:
    """A pair; an empty `garment` means the person's own."""
    stem, garment_stem = Path(person).stem, Path(garment or person).stem
    mine, theirs = labels.get(stem, Labels()), labels.get(garment_stem, Labels())
    mask = folder.first(
        f"{split}/agnostic-mask", f"{stem}_mask.png", f"{stem}.png", f"{stem}_mask.jpg", f"{stem}.jpg"
    )
    cloth = folder.first(f"{split}/cloth", f"{garment_stem}.jpg", f"{garment_stem}.png")
    pictures = FilePictures(
        person_file=folder.file(f"{split}/image/{person}"),
        garment_file=cloth or folder.file(f"{split}/cloth/{garment or person}"),
        mask_file=mask,
        silhouette_file=folder.first(f"{split}/cloth-mask", f"{garment_stem}.jpg", f"{garment_stem}.png"),
        parse_file=_first_of(folder, split, PARSE_FOLDERS, f"{stem}.png"),
        pose_file=_first_of(folder, split, POSE_FOLDERS, f"{stem}_keypoints.json"),
    )
    return GarmentPair(
        identifier=stem,
        category="upper",
        caption=mine.caption,
        garment_caption=theirs.garment_caption,
        source=str(folder.root / split),
        pictures=pictures,
        has_mask=mask is not None,
        reasons=None if garment else mine.reasons,
        hardness={} if garment else mine.hardness,
        garment_identifier=garment_stem if garment else "",
        paired=not garment,
    )


def _first_of(folder: DatasetFolder, split: str, names: tuple[str, ...], file: str) -> Path | None:
    found = (folder.first(f"{split}/{name}", file) for name in names)
    return next((path for path in found if path is not None), None)
