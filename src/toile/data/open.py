"""Open a dataset by one short text."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from PIL import Image

from toile.data.doll_pairs import SIZE, DollPairs, DollsMode
from toile.data.dresscode import FOLDERS, is_dresscode, open_dresscode
from toile.data.record import GarmentPair, Pictures
from toile.data.viton_hd import is_viton_hd, open_viton_hd
from toile.errors import ToileError
from toile.images import fit, fit_mask

SPLITS = ("train", "test")
DOLLS = "dolls:FIRST:COUNT, with :street or :mixed behind it if wanted"


def open_pairs(
    spec: str, *, split: str = "train", size: tuple[int, int] | None = None
) -> Sequence[GarmentPair]:
    """Open the true pairs of a dataset.

    Args:
        spec: `dolls:FIRST:COUNT` (Paper Dolls with the seeds from FIRST on, drawn on the fly), the same with
            `:street`, or a folder in VITON-HD's or DressCode's layout; `FOLDER:train` or `FOLDER:test` names
            the split, whatever `split` says.
        split: "train" or "test"; dolls have none, their seeds tell them apart.
        size: height and width that pictures are drawn at, or fitted and padded to; None keeps a folder's own.

    Raises:
        ToileError: when the text or the folder is nothing known, or a file of a pair is missing.
    """
    if spec.startswith("dolls:"):
        return _open_dolls(spec, size or SIZE)
    folder, _, named = spec.rpartition(":")
    root, split = (Path(folder), named) if folder and named in SPLITS else (Path(spec), split)
    if not root.is_dir():
        raise ToileError(f"no dataset at {spec!r}; give a folder in VITON-HD or DressCode layout, or {DOLLS}")
    if is_viton_hd(root):
        pairs = open_viton_hd(root, split)
    elif is_dresscode(root):
        pairs = open_dresscode(root, split)
    else:
        raise ToileError(
            f"{spec} is in no known layout: VITON-HD has {split}/image and {split}/cloth, "
            f"DressCode has {', '.join(f'{name}/images' for name in FOLDERS)}"
        )
    return pairs if size is None else [resized(pair, size) for pair in pairs]


def _open_dolls(spec: str, size: tuple[int, int]) -> DollPairs:
    first, count, mode = _parse_dolls(spec)
    return DollPairs(first, count, mode=mode, size=size)


def _parse_dolls(spec: str) -> tuple[int, int, DollsMode]:
    _, *numbers = spec.split(":")
    mode: DollsMode = "studio"
    if len(numbers) == 3:
        mode = next((known for known in get_args(DollsMode) if known == numbers[2]), mode)
        numbers = numbers[:2] if mode == numbers[2] else numbers
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers) or int(numbers[1]) < 1:
        raise ToileError(f"{spec!r} names no dolls; write {DOLLS}, with COUNT at least 1")
    return int(numbers[0]), int(numbers[1]), mode


class ResizedPictures:
    """Pictures fitted and padded to one size: white around photos and garments, nothing around masks."""

    def __init__(self, pictures: Pictures, size: tuple[int, int]) -> None:
        """Wrap `pictures`; `size` is (height, width)."""
        self.pictures, self.size = pictures, size

    def person(self) -> Image.Image:
        """The photo, fitted."""
        return fit(self.pictures.person(), self.size)[0]

    def garment(self) -> Image.Image:
        """The flat garment, fitted."""
        return fit(self.pictures.garment(), self.size)[0]

    def mask(self) -> Image.Image:
        """The agnostic mask, fitted."""
        return fit_mask(self.pictures.mask(), self.size)

    def silhouette(self) -> Image.Image:
        """The silhouette, fitted."""
        return fit_mask(self.pictures.silhouette(), self.size)


def resized(pair: GarmentPair, size: tuple[int, int]) -> GarmentPair:
    """The same pair with its pictures fitted and padded to (height, width)."""
    return replace(pair, pictures=ResizedPictures(pair.pictures, size))
