"""Opens one picture with suspicion: what the file is, what it claims to be, and what is odd about it."""

import os
import warnings
from dataclasses import dataclass
from hashlib import blake2b
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from toile.data.doctor.findings import Finding
from toile.data.doctor.inventory import DataFile
from toile.decoding import PIXEL_LIMIT

BYTE_LIMIT = 512 * 1024**2
"""Ours: a larger file is not read."""
ORIENTATION = 0x0112
"""EXIF's tag of the camera's rotation; 1 is upright."""
CUT_SHORT = ("truncated", "broken data stream", "premature", "unexpected end", "not enough", "eof")
"""What decoders say of a picture that ends too early, or breaks in its middle."""
PNG_START, PNG_BIT_DEPTH = b"\x89PNG\r\n\x1a\n", 24
"""How a PNG starts, and the byte of its header with the bits of a channel (PNG specification, 11.2.2)."""
PHOTOGRAPHIC = frozenset({"person", "garment", "mask", "silhouette"})
"""The roles whose colours and transparency matter; a parse map or a skeleton is read as it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """A picture that could be decoded."""

    file: DataFile
    """Where it came from."""
    picture: Image.Image
    """The decoded picture in its own mode, upright."""
    digest: bytes
    """A hash of the file's bytes, 16 bytes."""


def read_bytes(root: Path, file: DataFile) -> bytes:
    """The bytes of a file or of a shard's member.

    Raises:
        OSError: when they cannot be read.
    """
    if file.offset < 0:
        return (root / file.name).read_bytes()
    shard = PurePosixPath(file.name).parts[0]
    with (root / shard).open("rb") as stream:
        stream.seek(file.offset)
        return stream.read(file.length)


def open_picture(root: Path, file: DataFile, findings: list[Finding]) -> Opened | None:
    """Decode a picture, and note all that is odd about its file.

    Returns:
        The picture; None when it cannot be decoded, or should not.
    """
    size = file.length if file.offset >= 0 else os.stat(root / file.name).st_size
    if size == 0 or size > BYTE_LIMIT:
        code = "picture-too-large" if size else "file-empty"
        findings.append(Finding(code=code, file=file.name, detail=f"{size:,} bytes"))
        return None
    try:
        data = read_bytes(root, file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn of oddities; the limit is ours
            return _decode(file, data, findings)
    except Exception as error:  # decoders meet damage in many ways: OSError, SyntaxError, struct.error...
        findings.append(_failure(file, error))
        return None


def _decode(file: DataFile, data: bytes, findings: list[Finding]) -> Opened | None:
    with Image.open(BytesIO(data)) as picture:
        findings += [
            Finding(code=code, file=file.name, detail=detail)
            for code, detail in _oddities(file, picture, data)
        ]
        width, height = picture.size
        if width * height > PIXEL_LIMIT or min(width, height) < 1:
            raise Image.DecompressionBombError(f"{width}×{height} pixels")
        picture.load()
        turned = picture.getexif().get(ORIENTATION, 1) not in (0, 1)
        upright = ImageOps.exif_transpose(picture) if turned else picture
    return Opened(file=file, picture=upright, digest=blake2b(data, digest_size=16).digest())


def _failure(file: DataFile, error: Exception) -> Finding:
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return Finding(code="picture-too-large", file=file.name, detail=said)
    if isinstance(error, UnidentifiedImageError):
        return Finding(code="file-unreadable", file=file.name, detail="its content is no picture")
    cut = any(word in said.lower() for word in CUT_SHORT)
    return Finding(code="file-truncated" if cut else "file-unreadable", file=file.name, detail=said[:200])


def _oddities(file: DataFile, picture: Any, data: bytes) -> list[tuple[str, str]]:
    """Codes and details of what a file's header tells."""
    found = []
    form, ending = picture.format, PurePosixPath(file.name).suffix.lower()
    if Image.registered_extensions().get(ending) not in (form, "JPEG" if form == "MPO" else form):
        found.append(("extension-wrong", f"its content is {form}"))
    if form in ("JPEG", "MPO") and file.role in ("parse", "agnostic parse"):
        found.append(("parse-lossy", ""))
    if file.role not in PHOTOGRAPHIC:
        return found
    turn = picture.getexif().get(ORIENTATION, 1)
    if turn not in (0, 1):
        found.append(("picture-rotated", f"EXIF orientation {turn}"))
    if picture.mode == "CMYK":
        found.append(("picture-cmyk", ""))
    if _deep(picture, data):
        found.append(("picture-16-bit", f"mode {picture.mode}"))
    if picture.has_transparency_data:
        found.append(("picture-alpha", f"mode {picture.mode}"))
    if getattr(picture, "n_frames", 1) > 1 and form != "MPO":
        found.append(("picture-frames", f"{picture.n_frames} frames"))
    return found


def _deep(picture: Any, data: bytes) -> bool:
    """Whether a picture has more than 8 bits a channel; of RGB in 16 bits the decoder keeps 8, unsaid."""
    return picture.mode[0] in "IF" or (data.startswith(PNG_START) and data[PNG_BIT_DEPTH] == 16)
