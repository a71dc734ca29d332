"""StreetTryOn: people in the street, photos of DeepFashion2 with annotations of their own; unpaired.

Source: Street TryOn (arXiv 2311.16094) and github.com/cuiaiyu/street-tryon-benchmark: `train` and
`validation` hold one folder for each kind of picture (`image` made by its script from DeepFashion2, and the
downloaded `densepose`, `raw_bbox`, ...), `annotations` the lists of test pairs, one CSV a task
(`street2street_test_pairs_top.csv`, `street2street_test_pairs_dress.csv`), a header and then rows of number,
the file that gives the garment, the file that gets it. Tests run on `validation`. Segmentation of the street
photos has ATR's labels. Nobody's garment is there laid flat.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from toile.data.dataset_folder import DatasetFolder
from toile.data.pair_list import read_text
from toile.data.parse_labels import GARMENT_LABELS
from toile.data.picture_files import FilePictures
from toile.data.pose import Pose
from toile.data.record import Category, GarmentPair
from toile.errors import ToileError

TASKS: dict[str, Category] = {
    "street2street_test_pairs_top.csv": "upper",
    "street2street_test_pairs_dress.csv": "dress",
}
"""The lists within StreetTryOn itself, and what kind of garment each is about."""
FOLDER = "validation"
"""Where the photos of the test lists are."""
PARSE_FOLDERS = ("segm", "segmentation", "atr")
"""Ours: the repository's text does not name the segmentation's folder, so that these are tried."""


def is_street_tryon(root: Path) -> bool:
    """Whether a folder is StreetTryOn's `street_tryon`."""
    return (root / "annotations").is_dir() and (root / FOLDER / "image").is_dir()


def open_street_tryon(root: Path, split: str, *, paired: bool = False) -> list[GarmentPair]:
    """The published test pairs between street photos, tops first, then dresses.

    Raises:
        ToileError: when true pairs or another split are asked for, a list or a file is missing, or damaged.
    """
    if paired:
        raise ToileError(
            f"{root} is StreetTryOn, which has no flat garments and so no true pairs; "
            "open it with paired=False"
        )
    if split not in ("test", FOLDER):
        raise ToileError(
            f"StreetTryOn lists pairs for its test only, not for {split!r}; open the split 'test'"
        )
    lists = [path for name in TASKS if (path := root / "annotations" / name).is_file()]
    if not lists:
        raise ToileError(f"{root / 'annotations'} holds none of {', '.join(TASKS)}; download the annotations")
    folder = DatasetFolder(root)
    return [
        _pair(folder, path, wearer, owner, TASKS[path.name])
        for path in lists
        for owner, wearer in _read_rows(path)
    ]


def _read_rows(path: Path) -> Iterator[tuple[str, str]]:
    """The two file names of each row: who gives the garment, who gets it."""
    try:
        rows = list(csv.reader(read_text(path).splitlines()))[1:]
    except csv.Error as error:
        raise ToileError(f"{path} is no CSV file ({error}); download the annotations again") from error
    for number, row in enumerate(rows, 2):
        if len(row) != 3:
            raise ToileError(
                f"{path}, line {number}, has {len(row)} columns; each row holds a number and two files"
            )
        yield row[1].strip(), row[2].strip()


def _pair(folder: DatasetFolder, path: Path, wearer: str, owner: str, category: Category) -> GarmentPair:
    person, other = (_photo(folder, path, name) for name in (wearer, owner))
    parse, other_parse = (_parse_file(folder, name) for name in (wearer, owner))
    return GarmentPair(
        identifier=Path(wearer).stem,
        category=category,
        caption="",
        garment_caption="",
        source=str(folder.root / FOLDER),
        pictures=StreetPictures(
            wearer=_files(person, parse), owner=_files(other, other_parse), category=category
        ),
        has_mask=False,
        garment_identifier=Path(owner).stem,
        paired=False,
    )


def _photo(folder: DatasetFolder, path: Path, name: str) -> Path:
    return folder.file(f"{FOLDER}/image/{name}", path)


def _files(photo: Path, parse: Path | None) -> FilePictures:
    return FilePictures(person_file=photo, garment_file=photo, parse_file=parse, label_set="atr")


def _parse_file(folder: DatasetFolder, name: str) -> Path | None:
    found = (folder.first(f"{FOLDER}/{kind}", f"{Path(name).stem}.png") for kind in PARSE_FOLDERS)
    return next((path for path in found if path is not None), None)


@dataclass(frozen=True, kw_only=True)
class StreetPictures:
    """A street photo, and the garment that another one shows as it is worn there."""

    wearer: FilePictures
    """The person who is to put the garment on."""
    owner: FilePictures
    """The person who wears it."""
    category: Category
    """Which of the garments worn is meant."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.wearer.person()

    def garment(self) -> Image.Image:
        """The other photo with everything but the garment white; the whole photo without a parse map."""
        photo = self.owner.person()
        return Image.composite(photo, Image.new("RGB", photo.size, "white"), self.silhouette())

    def mask(self) -> Image.Image:
        """White everywhere: StreetTryOn has no agnostic masks."""
        return Image.new("L", self.wearer.person().size, 255)

    def silhouette(self) -> Image.Image:
        """Where the other photo shows the garment; white everywhere without a parse map."""
        parse = self.owner.parse()
        if parse is None:
            return Image.new("L", self.owner.person().size, 255)
        worn = np.isin(np.asarray(parse), sorted(GARMENT_LABELS[self.category]))
        return Image.fromarray(worn.astype(np.uint8) * 255)

    def parse(self) -> Image.Image | None:
        """The parse map of the photo, LIP's labels."""
        return self.wearer.parse()

    def pose(self) -> Pose | None:
        """None: StreetTryOn has DensePose, and no joints."""
        return None
