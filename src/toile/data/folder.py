"""A plain folder of photos and garments, matched by their files' names.

    persons/NAME.jpg    the photos
    garments/NAME.png   the flat garments, of the same name without its suffix
    masks/NAME.png      agnostic masks, where there are any; NAME-mask.png as `toile mask` writes them
    silhouettes/, parses/ (LIP's labels), poses/NAME.json (as OpenPose writes it): where there are any
    captions.jsonl      as `toile data caption` writes it, where there is one

Every garment counts as an upper one, and there are no splits: a list (see `pair_table`) says more.
"""

from pathlib import Path

from toile.data.dataset_folder import DatasetFolder
from toile.data.labels import Labels, read_labels
from toile.data.picture_files import FilePictures
from toile.data.record import GarmentPair
from toile.errors import ToileError
from toile.mask_names import mask_among

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
"""What counts as a picture, in small or capital letters."""


def is_plain_folder(root: Path) -> bool:
    """Whether a folder has `persons` and `garments`."""
    return (root / "persons").is_dir() and (root / "garments").is_dir()


def open_plain_folder(root: Path, *, paired: bool = True) -> list[GarmentPair]:
    """The pairs of a plain folder, sorted by name.

    Raises:
        ToileError: when no photo has a garment of its name, a name is given twice or cannot be used, or
            `paired` is False: nothing says who is to wear whose.
    """
    if not paired:
        raise ToileError(
            f"{root} does not say who is to put on whose garment; "
            "write a CSV list with the columns person, garment, paired and open that"
        )
    folder = DatasetFolder(root)
    persons, garments = _pictures(folder, "persons"), _pictures(folder, "garments")
    names = [name for name in persons if name in garments]
    if not names:
        raise ToileError(
            f"none of the {len(persons)} pictures in {root / 'persons'} has a garment of its name among the "
            f"{len(garments)} in {root / 'garments'}; name them alike, or write a list"
        )
    others = {kind: _pictures(folder, kind) for kind in ("masks", "silhouettes", "parses")}
    labels = read_labels(root)
    return [
        _pair(folder, name, persons[name], garments[name], others, labels.get(name, Labels()))
        for name in names
    ]


def _pictures(folder: DatasetFolder, kind: str) -> dict[str, Path]:
    """The pictures in one folder by name without suffix, sorted."""
    found: dict[str, Path] = {}
    directory = folder.root / kind
    paths = sorted(directory.iterdir(), key=lambda path: path.name) if directory.is_dir() else []
    for path in paths:
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise ToileError(
                f"{directory} has both {found[path.stem].name} and {path.name}; keep one of the two"
            )
        found[path.stem] = folder.file(f"{kind}/{path.name}", directory)
    return found


def _pair(
    folder: DatasetFolder,
    name: str,
    person: Path,
    garment: Path,
    others: dict[str, dict[str, Path]],
    labels: Labels,
) -> GarmentPair:
    mask = mask_among(others["masks"], name)
    return GarmentPair(
        identifier=name,
        category="upper",
        caption=labels.caption,
        garment_caption=labels.garment_caption,
        source=str(folder.root),
        pictures=FilePictures(
            person_file=person,
            garment_file=garment,
            mask_file=mask,
            silhouette_file=others["silhouettes"].get(name),
            parse_file=others["parses"].get(name),
            pose_file=folder.first("poses", f"{name}.json", f"{name}_keypoints.json"),
        ),
        has_mask=mask is not None,
    )
