"""Which layout a folder has, or which it is nearest to and what it lacks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from toile.data.parse_labels import LabelSet
from toile.data.record import Category
from toile.data.street_tryon import FOLDER, PARSE_FOLDERS

Role = Literal[
    "person", "garment", "mask", "silhouette", "agnostic", "parse", "agnostic parse", "pose", "skeleton",
    "densepose",
]  # fmt: skip
"""What a file is to its pair; `mask` is the agnostic mask of the photo, `silhouette` that of the garment."""
OF_PERSON: frozenset[Role] = frozenset(
    {"mask", "agnostic", "parse", "agnostic parse", "pose", "skeleton", "densepose"}
)
"""The roles that are made from the photo."""
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Endings of pictures."""


@dataclass(frozen=True, kw_only=True)
class RoleFolder:
    """A folder of a layout, and how its files are named."""

    folder: str
    """Its name inside the group."""
    role: Role
    """What its files are."""
    suffixes: tuple[str, ...] = ("",)
    """What may stand between a pair's identifier and the ending."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folders of a public dataset."""

    name: str
    """How it is called in reports."""
    groups: Mapping[str, Category | None]
    """The folders below the root that hold the others (a split or a category), with their category."""
    needed: tuple[str, ...]
    """The folders that a group cannot do without."""
    folders: tuple[RoleFolder, ...]
    """All folders that are known."""
    label_set: LabelSet | None = None
    """The labels of its parse maps; None when it leaves them open."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """For groups that are splits: "train" or "test"."""
    pose_size: tuple[int, int] | None = None
    """(width, height) that its joints are given in; None for pixels of the photo."""

    def present(self, root: Path) -> tuple[str, ...]:
        """The groups that have at least one of the needed folders."""
        return tuple(
            group for group in self.groups if any((root / group / name).is_dir() for name in self.needed)
        )

    def missing(self, root: Path) -> tuple[str, ...]:
        """The needed folders that are not there, in the groups that are (or in the first)."""
        groups = self.present(root) or tuple(self.groups)[:1]
        wanted = (Path(group) / name for group in groups for name in self.needed)
        return tuple(path.as_posix() for path in wanted if not (root / path).is_dir())


def _folders(*rows: tuple[str, Role, str]) -> tuple[RoleFolder, ...]:
    return tuple(
        RoleFolder(folder=folder, role=role, suffixes=tuple(suffixes.split("|")))
        for folder, role, suffixes in rows
    )


VITON_HD = Layout(
    name="VITON-HD",
    groups={"train": "upper", "test": "upper"},
    splits={"train": "train", "test": "test"},
    needed=("image", "cloth"),
    folders=_folders(
        ("image", "person", ""),
        ("cloth", "garment", ""),
        ("cloth-mask", "silhouette", ""),
        ("agnostic-mask", "mask", "_mask|"),
        ("agnostic-v3.2", "agnostic", ""),
        ("image-parse-v3", "parse", ""),
        ("image-parse", "parse", ""),
        ("image-parse-agnostic-v3.2", "agnostic parse", ""),
        ("openpose_json", "pose", "_keypoints"),
        ("openpose-json", "pose", "_keypoints"),
        ("pose-coco18", "pose", "_keypoints"),
        ("openpose_img", "skeleton", "_rendered"),
        ("image-densepose", "densepose", ""),
    ),
    label_set="lip",
)
"""github.com/shadow2496/VITON-HD: upper garments only; a pair's files share their stem."""
DRESSCODE = Layout(
    name="DressCode",
    groups={"upper_body": "upper", "lower_body": "lower", "dresses": "dress"},
    needed=("images",),
    folders=_folders(
        ("images", "person", "_0"),
        ("images", "garment", "_1"),
        ("masks", "silhouette", "_1"),
        ("agnostic_masks", "mask", "_0"),
        ("label_maps", "parse", "_4"),
        ("keypoints", "pose", "_2"),
        ("skeletons", "skeleton", "_5"),
        ("dense", "densepose", "_5"),
    ),
    label_set="atr",
    pose_size=(384, 512),
)
"""github.com/aimagelab/dress-code: the digit behind the stem says what a file is; joints in 384×512."""
STREET_TRYON = Layout(
    name="StreetTryOn",
    groups={"train": None, FOLDER: None},
    splits={"train": "train", FOLDER: "test"},
    needed=("image",),
    folders=_folders(
        ("image", "person", ""),
        ("densepose", "densepose", ""),
        *((name, "parse", "") for name in PARSE_FOLDERS),
    ),
    label_set="atr",
)
"""github.com/cuiaiyu/street-tryon-benchmark: street photos, no flat garments, lists in annotations/."""
PLAIN_FOLDER = Layout(
    name="plain folder",
    groups={"": "upper"},
    needed=("persons", "garments"),
    folders=_folders(
        ("persons", "person", ""),
        ("garments", "garment", ""),
        ("masks", "mask", "_mask|"),
        ("silhouettes", "silhouette", ""),
        ("parses", "parse", ""),
        ("poses", "pose", "_keypoints|"),
    ),
    label_set="lip",
)
"""Ours, as `toile.data.folder` reads it: files of a pair share their stem."""
SHARDS = Layout(name="WebDataset shards", groups={"": None}, needed=(), folders=(), label_set="lip")
"""As `toile.data.shards` reads them: a pair's members share what stands before their names' first dot."""
PAIR_LIST = Layout(name="list of pairs", groups={"": None}, needed=(), folders=())
"""As `toile.data.pair_table` reads it: a .csv or .jsonl file with a row for each pair."""
FOLDER_LAYOUTS = (VITON_HD, DRESSCODE, PLAIN_FOLDER, STREET_TRYON)
"""The layouts that consist of folders, in the order in which they are tried."""


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """What a folder's layout is."""

    layout: Layout
    """The layout, or the nearest."""
    certain: bool
    """Whether it is that, instead of merely near to it."""
    missing: tuple[str, ...] = ()
    """The folders that it lacks."""
    hints: tuple[str, ...] = ()
    """What to rename, or which other folder to give."""


def recognise(path: Path) -> Recognition:
    """Say which layout a folder or file has, or which it is nearest to.

    Args:
        path: a dataset's folder, a shard, or a list of pairs.
    """
    if path.is_file():
        return Recognition(layout=SHARDS if path.suffix == ".tar" else PAIR_LIST, certain=True)
    for layout in FOLDER_LAYOUTS:
        if layout.present(path) and not layout.missing(path) and not _lacks_annotations(path, layout):
            return Recognition(layout=layout, certain=True)
    if next(path.glob("*.tar"), None) is not None:
        return Recognition(layout=SHARDS, certain=True)
    return _nearest(path)


def _lacks_annotations(path: Path, layout: Layout) -> bool:
    """StreetTryOn needs more than a folder `image`, which half of VITON-HD has too."""
    return layout is STREET_TRYON and not ((path / "annotations").is_dir() or (path / FOLDER).is_dir())


def _nearest(path: Path) -> Recognition:
    """The layout with the most known folders here, what it lacks, and folders that look misspelt."""
    layout = max(FOLDER_LAYOUTS, key=lambda layout: _likeness(path, layout))
    missing = layout.missing(path)
    return Recognition(
        layout=layout,
        certain=False,
        missing=missing,
        hints=(*_elsewhere(path), *_misspelt(path, missing)),
    )


def _likeness(path: Path, layout: Layout) -> float:
    """How much of a layout is here: needed folders count most, then any that is known, then near names."""
    known = {Path(group) / folder.folder for group in layout.groups for folder in layout.folders}
    needed = {Path(group) / name for group in layout.groups for name in layout.needed}
    near = len(_misspelt(path, tuple(folder.as_posix() for folder in needed)))
    return (
        3 * sum((path / folder).is_dir() for folder in needed)
        + sum((path / folder).is_dir() for folder in known)
        + 0.5 * near
    )


def _misspelt(path: Path, missing: tuple[str, ...]) -> tuple[str, ...]:
    """Folders whose names come near to a missing one."""
    hints = []
    for folder in missing:
        parent = path / Path(folder).parent
        names = [entry.name for entry in parent.iterdir() if entry.is_dir()] if parent.is_dir() else []
        for match in get_close_matches(Path(folder).name, names, n=1, cutoff=0.6):
            found = (Path(folder).parent / match).as_posix()
            hints.append(f"{found} may be meant for {folder}: rename it")
    return tuple(hints)


def _elsewhere(path: Path) -> tuple[str, ...]:
    """Whether the folder above, or one inside, is the dataset."""
    candidates = [path.parent, *sorted(entry for entry in path.iterdir() if entry.is_dir())][:100]
    return tuple(
        f"{candidate} is in {layout.name}'s layout: give that folder"
        for candidate in candidates
        for layout in (VITON_HD, DRESSCODE, PLAIN_FOLDER)
        if layout.present(candidate) and not layout.missing(candidate)
    )
