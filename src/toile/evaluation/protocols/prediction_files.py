"""The files of a folder of predictions: which there are, and what each holds, decoded once."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from tqdm import tqdm

from toile.decoding import decode
from toile.errors import ToileError
from toile.evaluation.protocols.reference import PICTURES
from toile.images import METADATA_KEY

SETTINGS_FILE = "settings.json"
"""Says how the pictures beside it were made; `toile benchmark` writes it."""
SUFFIX_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}
"""What a file's name says that it holds."""
FLAT_RANGE = 2
"""A picture whose channels each vary by no more than this, of 255, shows nothing."""


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """What one file holds."""

    path: Path
    """The file."""
    error: str | None = None
    """Why it cannot be read; None when it can. All that follows is empty then."""
    size: tuple[int, int] = (0, 0)
    """(height, width), upright."""
    format: str = ""
    """Of the content, as Pillow names it."""
    mode: str = ""
    """Colour mode in the file."""
    lossy: bool = False
    """Whether the format loses something."""
    transparent: bool = False
    """Whether a pixel is not opaque."""
    turned: bool = False
    """Whether EXIF turns it."""
    frames: int = 1
    """Pictures in the file."""
    profile: bool = False
    """Whether a colour profile other than sRGB is attached."""
    blank: bool = False
    """Whether it shows one colour only."""
    sha256: str = ""
    """Hash of the file."""
    pixels_sha256: str = ""
    """Hash of its upright RGB bytes and size."""
    modified: float = 0.0
    """When it was written, in seconds."""
    settings: dict[str, Any] | None = field(default=None, hash=False)
    """What its metadata says of how it was made; None when it says nothing."""


def picture_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures of a folder and its subfolders, and the files that a stopped program left unfinished.

    Hidden files, and files that are not named as pictures, as the settings, are passed over.

    Raises:
        ToileError: when the folder is not there, or is none.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise ToileError(f"{folder} {what}; give the folder of the predicted pictures")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    unfinished = [path for path in files if path.suffix.lower() in (".part", ".tmp", ".crdownload")]
    pictures = [
        path
        for path in files
        if path.suffix.lower() in PICTURES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return pictures, unfinished


def look_at_all(paths: Sequence[Path], threads: int = 4) -> list[PictureFacts]:
    """Look at files, several at a time, with a progress bar."""
    with ThreadPoolExecutor(threads) as pool:
        return list(
            tqdm(pool.map(look_at, paths), total=len(paths), desc="checking", leave=False, disable=None)
        )


def look_at(path: Path) -> PictureFacts:
    """Decode a file once and say what it holds."""
    try:
        content = path.read_bytes()
        if not content:
            raise ToileError("it is an empty file")
        upright = decode(content, path.name)
        return _facts(path, content, upright)
    except (ToileError, OSError) as error:
        return PictureFacts(path=path, error=" ".join(str(error).split()))


def _facts(path: Path, content: bytes, upright: Image.Image) -> PictureFacts:
    with Image.open(BytesIO(content)) as header:
        rgb = upright.convert("RGB")
        ranges = [high - low for low, high in rgb.getextrema()]  # type: ignore[misc]
        return PictureFacts(
            path=path,
            size=(upright.height, upright.width),
            format=header.format or "",
            mode=header.mode,
            lossy=_is_lossy(header, content),
            transparent=_is_transparent(upright),
            turned=header.getexif().get(Base.Orientation, 1) != 1,
            frames=int(getattr(header, "n_frames", 1)),
            profile=_has_profile(header),
            blank=max(ranges) <= FLAT_RANGE,
            sha256=hashlib.sha256(content).hexdigest(),
            pixels_sha256=pixels_hash(rgb),
            modified=path.stat().st_mtime,
            settings=_settings(header),
        )


def pixels_hash(picture: Image.Image) -> str:
    """sha256 of a picture's mode, size and bytes."""
    digest = hashlib.sha256(f"{picture.mode} {picture.width}x{picture.height}\n".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()


def _is_lossy(header: Image.Image, content: bytes) -> bool:
    """JPEG and GIF always are; WebP where its first chunk of pixels is "VP8 " (RFC 9649)."""
    if header.format == "WEBP":
        return b"VP8L" not in content[:64]
    if header.format == "TIFF":
        return "jpeg" in str(header.info.get("compression", ""))
    return header.format in ("JPEG", "MPO", "GIF", "JPEG2000", "AVIF")


def _is_transparent(picture: Image.Image) -> bool:
    if not picture.has_transparency_data:
        return False
    return int(np.asarray(picture.convert("RGBA"))[..., 3].min()) < 255


def _has_profile(header: Image.Image) -> bool:
    profile = header.info.get("icc_profile")
    return isinstance(profile, bytes) and b"sRGB" not in profile and b"s\x00R\x00G\x00B" not in profile


def _settings(header: Image.Image) -> dict[str, Any] | None:
    text = header.info.get(METADATA_KEY)
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {"unreadable": text[:80]}
    return found if isinstance(found, dict) else {"unreadable": text[:80]}


def read_settings(folder: Path) -> tuple[dict[str, Any] | None, float]:
    """A folder's settings file and when it was written; None and 0 without one.

    Raises:
        ToileError: when it holds no JSON object.
    """
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return None, 0.0
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise ToileError(f"{path} holds no settings ({error}); write a JSON object, or remove it") from error
    return found, path.stat().st_mtime
