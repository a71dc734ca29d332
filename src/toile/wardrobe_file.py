"""The file of one outfit: the features of its garments, and in the header what is told without reading them.

The format is that of `GarmentFeatures`, so `GarmentFeatures.load` reads it too. The header tells besides who
made the features and when, their hash, and holds small pictures of the garments.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError, safe_open

from toile.decoding import decode
from toile.errors import ToileError
from toile.images import as_photo
from toile.wardrobe import GarmentFeatures

THUMBNAIL = 256
"""The longer side of an outfit's pictures, in pixels; smaller ones stay as they are."""


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """What an outfit is, as far as its file tells without being read whole."""

    name: str
    """What it is called."""
    categories: tuple[str, ...]
    """The kind of each garment: `upper`, `lower`, `hat`..."""
    system: str
    """What encoded it: `anydressing`, `igr` or `twgtm`."""
    model: str
    """The model, as its user named it; empty where that is not known."""
    weights: str
    """Hash of the weights that encoded it."""
    dtype: str
    """Kind of number, as `float32`."""
    added: str
    """When, as ISO 8601 in UTC."""
    digest: str
    """Hash of the features, by which damage is found."""
    size: int
    """Of the file, in bytes."""

    @property
    def made_by(self) -> str:
        """System, model and kind of number, in words."""
        return " ".join(word for word in (self.system, self.model, self.dtype) if word)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The header of an outfit's file."""

    outfit: Outfit
    """What it is."""
    pictures: tuple[Image.Image, ...]
    """Small pictures of its garments, RGB, in order."""


def write_outfit(
    path: Path,
    features: GarmentFeatures,
    *,
    pictures: Sequence[Image.Image],
    weights: str,
    about: dict[str, str],
) -> None:
    """Write an outfit, whole or not at all; numbers are kept as they come.

    Args:
        path: the file.
        features: one item a garment, `categories` their kinds.
        pictures: of the garments, in order, of any size.
        weights: hash of the weights that made the features.
        about: the `system`, `model` and `added` of `Outfit`.

    Raises:
        ToileError: when it cannot be written.
    """
    told = about | {"dtype": _dtype(features), "digest": features_digest(features)}
    shown = [_thumbnail(picture) for picture in pictures]
    features.save(path, weights, {"outfit": json.dumps(told), "pictures": json.dumps(shown)})


def read_header(path: Path, name: str) -> Header:
    """What an outfit's file tells; its features are not read.

    Args:
        path: the file.
        name: what the outfit is called.

    Raises:
        FileNotFoundError: when there is no such file.
        ToileError: when it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        about, stamp = json.loads(metadata["outfit"]), json.loads(metadata["stamp"])
        outfit = Outfit(
            name=name,
            categories=tuple(str(kind) for kind in stamp["categories"]),
            weights=str(stamp["weights"]),
            size=path.stat().st_size,
            **{key: str(about[key]) for key in ("system", "model", "dtype", "added", "digest")},
        )
        files = [base64.b64decode(text, validate=True) for text in json.loads(metadata["pictures"])]
        pictures = tuple(decode(file, "its picture").convert("RGB") for file in files)
    except FileNotFoundError:
        raise
    except (OSError, SafetensorError, ToileError, LookupError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, ToileError) else f"{type(error).__name__}: {error}"
        raise damaged(path, name, reason) from error
    if len(pictures) != len(outfit.categories):
        raise damaged(path, name, f"{len(pictures)} pictures of {len(outfit.categories)} garments")
    return Header(outfit=outfit, pictures=pictures)


def features_digest(features: GarmentFeatures) -> str:
    """Hash features: names, shapes, kinds of number, and every bit of the values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(features.tensors().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def damaged(path: Path, name: str, reason: str) -> ToileError:
    """The error of a file that cannot be used, which says how to be rid of it."""
    return ToileError(
        f"{path} is damaged, or no outfit ({reason}); `toile wardrobe remove {name!r}`, "
        "then add its garments again"
    )


def _dtype(features: GarmentFeatures) -> str:
    kinds = {str(tensor.dtype).removeprefix("torch.") for tensor in features.tensors().values()}
    return ", ".join(sorted(kinds))


def _thumbnail(picture: Image.Image) -> str:
    """A small copy as a PNG, in base64."""
    small, file = as_photo(picture).copy(), BytesIO()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    small.save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()
