"""The pictures that a page shows of an item: what went in, what came out, what should have."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from toile.errors import ToileError
from toile.evaluation.protocols.result import EvaluatedItem, EvaluationResult
from toile.evaluation.protocols.truths import Truth
from toile.images import load_photo

FOLDER = "pictures"
"""Where a page's pictures lie, beside it."""
LARGEST_SIDE = 512
"""Larger pictures are shown at this size."""
QUALITY = 92
"""Of the JPEGs that a page shows; figures never come from these."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One small picture on a page."""

    role: str
    """What it is: "photo", "garment", "prediction", "target", or a system's name."""
    file: str
    """Its file, relative to the page; empty where there is no picture to show."""
    width: int = 0
    """Of the file, in pixels."""
    height: int = 0
    """Of the file, in pixels."""
    reason: str = ""
    """Why there is no picture."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A system whose predictions are shown."""

    name: str
    """What its pictures are called."""
    folder: Path
    """Where its predictions lie."""
    items: Mapping[str, EvaluatedItem]
    """What it made, by identifier."""


def contender(result: EvaluationResult, folder: Path, name: str = "") -> Contender:
    """The predictions of a result, in a folder."""
    items = {item.identifier: item for item in result.items}
    return Contender(name=name or result.system, folder=folder, items=items)


def write_shots(
    identifier: str, stem: str, contenders: Sequence[Contender], truth: Truth | None, page: Path
) -> tuple[Shot, ...]:
    """Write the small pictures of one item below a page's folder: inputs, predictions, target.

    What cannot be read is said instead of shown.

    Args:
        identifier: of the item.
        stem: how the files' names begin.
        contenders: whose predictions are shown.
        truth: gives inputs and target; None shows neither.
        page: the page's folder.
    """
    given, target = _known(truth)
    found = [*given, *(_prediction(contender, identifier) for contender in contenders), *target]
    return tuple(_write(role, picture, f"{stem}-{n}", page) for n, (role, picture) in enumerate(found))


Found = tuple[str, Image.Image | str]
"""A role, and its picture or why there is none."""


def _known(truth: Truth | None) -> tuple[list[Found], list[Found]]:
    """The inputs and the target."""
    if truth is None:
        return [], []
    try:
        known = truth.show()
    except ToileError as error:
        return [("input", str(error))], []
    kinds = tuple(kind for kind, _ in known.garments)
    roles = kinds if len(kinds) == len(known.inputs) else ("photo", *kinds)
    inputs: list[Found] = list(zip(roles, known.inputs, strict=True))
    return inputs, [] if known.target is None else [("target", known.target)]


def _prediction(contender: Contender, identifier: str) -> Found:
    item = contender.items.get(identifier)
    if item is None:
        return contender.name, "not in this result"
    path = contender.folder / item.prediction
    try:
        changed = hashlib.sha256(path.read_bytes()).hexdigest() != item.prediction_sha256
        return contender.name, "has changed since it was measured" if changed else load_photo(path)
    except OSError as error:
        return contender.name, f"cannot be read ({error.strerror or error})"
    except ToileError as error:
        return contender.name, str(error)


def _write(role: str, picture: Image.Image | str, stem: str, page: Path) -> Shot:
    if isinstance(picture, str):
        return Shot(role=role, file="", reason=picture)
    small = picture.convert("RGB")
    small.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    name = f"{FOLDER}/{stem}.jpg"
    (page / FOLDER).mkdir(exist_ok=True)
    small.save(page / name, format="JPEG", quality=QUALITY, subsampling=0)
    return Shot(role=role, file=name, width=small.width, height=small.height)
