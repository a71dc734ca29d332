"""Small pictures that show what a finding means: a mask's outline on its photo, a twin beside its twin."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from PIL import Image

from toile.data.doctor.findings import Finding
from toile.data.doctor.verdict import Group, Report
from toile.data.parse_labels import LIP
from toile.decoding import PIXEL_LIMIT
from toile.errors import ToileError
from toile.images import MASK_THRESHOLD, as_photo, fit

HEIGHT, WIDTH = 256, 384
"""The pictures are fitted into this."""
OVERLAID = ("mask-", "silhouette-")
"""The kinds whose file is drawn onto the picture that it belongs to."""
ABOUT_TWO = (
    "leak",
    "near-leak",
    "duplicate",
    "near-duplicate",
    "mixed-up",
    "name-collision",
    "condition-size",
)
"""The kinds that are seen with the other file beside."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A finding, and how it looks."""

    finding: Finding
    """What was found."""
    pictures: tuple[tuple[str, Image.Image], ...]
    """File names and small pictures, left to right; none where there is nothing to see."""


def examples_of(report: Report, group: Group, count: int) -> Iterator[Example]:
    """The first findings of a group with their pictures."""
    root = report.path.parent if report.path.is_file() else report.path
    for number, finding in enumerate(group.findings[:count], 1):
        pictures = tuple(
            (f"{group.kind.code}-{number}-{place}.png", picture)
            for place, picture in enumerate(_pictures(root, finding), 1)
        )
        yield Example(finding=finding, pictures=pictures)


def _pictures(root: Path, finding: Finding) -> Iterator[Image.Image]:
    own = _open(root, finding.file)
    beside = [picture for name in finding.beside if (picture := _open(root, name)) is not None]
    if own is None:
        return
    if finding.code.startswith("parse-"):
        yield _small(as_photo(_coloured(own)))
        yield from (_small(as_photo(picture)) for picture in beside)
        return
    yield _small(as_photo(own))
    if finding.code.startswith(OVERLAID) and beside:
        yield _small(_outlined(as_photo(beside[0]), as_photo(own)))
    elif finding.code in ABOUT_TWO:
        yield from (_small(as_photo(picture)) for picture in beside)


def _open(root: Path, name: str) -> Image.Image | None:
    """A picture of the dataset; None where it is none, or damaged, or too large."""
    try:
        with Image.open(BytesIO(_bytes(root.resolve(), name))) as picture:
            if picture.width * picture.height > PIXEL_LIMIT:
                return None
            picture.load()
            return picture.copy()
    except Exception:  # it is in the report that it cannot be read
        return None


def _bytes(root: Path, name: str) -> bytes:
    """The content of a file of the dataset, or of a shard's member; nothing from outside of it."""
    path = root / name
    if not path.resolve().is_relative_to(root):
        raise ToileError(f"{name} is outside of the dataset")
    shard, *member = PurePosixPath(name).parts
    if not (shard.endswith(".tar") and member):
        return path.read_bytes()
    with tarfile.open(root / shard, "r:") as tar:
        stream = tar.extractfile("/".join(member))
        return stream.read() if stream is not None else b""


def _small(picture: Image.Image) -> Image.Image:
    scale = min(HEIGHT / picture.height, WIDTH / picture.width)
    size = max(1, round(picture.height * scale)), max(1, round(picture.width * scale))
    return fit(picture, size)[0]


def _outlined(photo: Image.Image, mask: Image.Image) -> Image.Image:
    """The photo, red where the mask marks, with its outline drawn."""
    marked = np.asarray(mask.convert("L").resize(photo.size, Image.Resampling.NEAREST)) >= MASK_THRESHOLD
    pixels = np.array(photo)
    pixels[marked] = (0.6 * pixels[marked] + 0.4 * np.array([230, 60, 50])).astype(np.uint8)
    outline, _ = cv2.findContours(marked.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(pixels, outline, -1, (230, 30, 30), max(1, photo.height // 200))
    return Image.fromarray(pixels)


def _coloured(parse: Image.Image) -> Image.Image:
    """A parse map in colours far from each other; labels beyond LIP's are white."""
    if parse.mode not in ("P", "L", "1"):
        return parse
    labels = np.asarray(parse).astype(np.uint8)
    hues = (labels.astype(np.int32) * 67 % 180).astype(np.uint8)
    known = np.where(labels == 0, 0, 220).astype(np.uint8)
    colours = cv2.cvtColor(np.dstack([hues, np.full_like(hues, 150), known]), cv2.COLOR_HSV2RGB)
    colours[labels >= len(LIP)] = 255
    return Image.fromarray(colours)
