"""Opens the real set that a protocol compares sets of predictions with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from toile.data.open import open_pairs
from toile.errors import ToileError
from toile.evaluation.protocols.protocol import PairRules, ReferenceRules
from toile.evaluation.protocols.truths import DollTruth, PairTruth, RealPicture, Truth
from toile.images import load_photo

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
"""Suffixes of files that are taken for pictures."""


PROBED = 64
"""Pictures of a folder that are looked at to see whether it mixes persons and garments."""
CORNER = 0.04
"""Size of the corners that are white around a flat garment, as a share of the sides."""
WHITE = 245
"""What counts as white there, of 255."""


def mixture_in(folder: Path) -> str | None:
    """What tells that a folder of real pictures holds both persons and garments; None when nothing does.

    Names are looked at first (DressCode's `images` hold `STEM_0.jpg`, the person, and `STEM_1.jpg`, the
    garment), then the corners of some pictures: flat garments lie on white.

    Ours: between a tenth and nine tenths of pictures with white corners are a mixture.
    """
    files = _pictures(folder)
    stems = {path.stem for path in files}
    both = sorted(stem for stem in stems if stem.endswith("_0") and f"{stem[:-1]}1" in stems)
    if both:
        return f"{both[0]} and {both[0][:-1]}1 are the person and the garment of one pair"
    probed = files[:: max(1, len(files) // PROBED)][:PROBED]
    flat = sum(_lies_on_white(load_photo(path)) for path in probed)
    if 0.1 * len(probed) < flat < 0.9 * len(probed):
        return f"{flat} of {len(probed)} pictures lie on white as flat garments do, and the others do not"
    return None


def _lies_on_white(picture: Image.Image) -> bool:
    pixels = np.asarray(picture)
    rows, columns = (max(1, round(CORNER * side)) for side in pixels.shape[:2])
    top, bottom = pixels[:rows], pixels[-rows:]
    corners = (top[:, :columns], top[:, -columns:], bottom[:, :columns], bottom[:, -columns:])
    return all(int(corner.min()) >= WHITE for corner in corners)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def is_picture_folder(text: str) -> bool:
    """Whether a real set is given as a folder that holds pictures itself, rather than as a dataset."""
    return Path(text).is_dir() and bool(_pictures(Path(text)))


def open_reference(
    rules: ReferenceRules, pairs: PairRules, truths: Sequence[Truth], data: str | None
) -> list[RealPicture]:
    """The real set of a protocol, sorted by identifier; not for the side "targets".

    Args:
        rules: which pictures.
        pairs: the rules of the predictions' pairs.
        truths: those pairs.
        data: where the real set lies, as a dataset or a folder of pictures; None takes the pairs' own.

    Raises:
        ToileError: when it lies in another dataset and is not given, or cannot be read.
    """
    side: Literal["persons", "garments"] = "persons" if rules.side == "persons" else "garments"
    if data is None:
        if rules.dataset != pairs.dataset:
            raise ToileError(
                f"the real set is the {rules.side} of {rules.dataset} {rules.split}; give it with --reference"
            )
        own = [truth for truth in truths if isinstance(truth, (PairTruth, DollTruth))]
        return [RealPicture(identifier=truth.identifier, truth=truth, side=side) for truth in own]
    if is_picture_folder(data):
        return [RealPicture(identifier=path.name, path=path) for path in _pictures(Path(data))]
    opened = open_pairs(data, split=rules.split or "test")
    found = {}
    for index in range(len(opened)):
        pair = opened[index]
        found[pair.identifier] = PairTruth(pair=pair, task="restore", region="silhouette")
    return [RealPicture(identifier=name, truth=found[name], side=side) for name in sorted(found)]
