"""VITON-HD's folders: `{split}_pairs.txt` and `{split}/image`, `cloth`, `cloth-mask`, `agnostic-mask`."""

from pathlib import Path

from toile.data.labels import Labels, read_labels
from toile.data.picture_files import FilePictures
from toile.data.record import GarmentPair
from toile.errors import ToileError


def is_viton_hd(root: Path) -> bool:
    """Whether a folder has VITON-HD's layout."""
    return any(
        (root / split / "image").is_dir() and (root / split / "cloth").is_dir() for split in ("train", "test")
    )


def read_pair_list(path: Path) -> list[tuple[str, ...]]:
    """The rows of a list of pairs, split at white space.

    Raises:
        ToileError: when the list is missing, empty, or a row has fewer than two names.
    """
    if not path.is_file():
        raise ToileError(f"the list of pairs is missing: {path}")
    rows = [tuple(line.split()) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    short = next((row for row in rows if len(row) < 2), None)
    if short is not None or not rows:
        problem = f"has a row with one name only ({short[0]!r})" if short else "is empty"
        raise ToileError(f"{path} {problem}; each row holds a person's file and a garment's file")
    return rows


def first_file(folder: Path, *names: str) -> Path | None:
    """The first of `names` that exists in `folder`."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def open_viton_hd(root: Path, split: str) -> list[GarmentPair]:
    """The true pairs of a split: each listed person with the garment of the same name.

    VITON-HD's own `test_pairs.txt` lists persons with garments of others; the second column is not read, so
    that it gives true pairs too.

    Raises:
        ToileError: when the list or a file is missing.
    """
    if not (root / split).is_dir():
        raise ToileError(f"{root} has no split {split!r}; it has no folder {root / split}")
    persons = dict.fromkeys(row[0] for row in read_pair_list(root / f"{split}_pairs.txt"))
    labels = read_labels(root / split, root)
    return [_pair(root / split, name, labels.get(Path(name).stem, Labels())) for name in persons]


def _pair(folder: Path, name: str, labels: Labels) -> GarmentPair:
    stem = Path(name).stem
    mask = first_file(
        folder / "agnostic-mask", f"{stem}_mask.png", f"{stem}.png", f"{stem}_mask.jpg", f"{stem}.jpg"
    )
    pictures = FilePictures(
        person_file=folder / "image" / name,
        garment_file=first_file(folder / "cloth", f"{stem}.jpg", f"{stem}.png") or folder / "cloth" / name,
        mask_file=mask,
        silhouette_file=first_file(folder / "cloth-mask", f"{stem}.jpg", f"{stem}.png"),
    )
    return GarmentPair(
        identifier=stem,
        category="upper",
        caption=labels.caption,
        garment_caption=labels.garment_caption,
        source=str(folder),
        pictures=pictures,
        has_mask=mask is not None,
        reasons=labels.reasons,
        hardness=labels.hardness,
    )
