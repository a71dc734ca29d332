"""Decode pictures from files or from bytes without turning labels into colours, and read their sizes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from toile.errors import ToileError

PIXEL_LIMIT = 100_000_000
"""Pictures with more pixels are refused: a small file may unpack to more than the memory holds."""
TURNED = (5, 6, 7, 8)
"""EXIF orientations whose width and height change places when the picture is put upright."""


def decode(source: Path | bytes, name: str = "") -> Image.Image:
    """Decode a picture whole and upright, in the mode that it was written in.

    Args:
        source: the file, or its content.
        name: what to call the content in messages.

    Raises:
        ToileError: when it is no picture, cut short, empty or beyond `PIXEL_LIMIT`.
    """
    with _opened(source, name) as picture:
        picture.load()
        return ImageOps.exif_transpose(picture)


def picture_size(source: Path | bytes, name: str = "") -> tuple[int, int]:
    """(width, height) of an upright picture from its header alone.

    A PNG whose EXIF lies behind its pixels counts as upright, as looking for it would decode them.

    Raises:
        ToileError: as `decode`, as far as the header shows it.
    """
    with _opened(source, name) as picture:
        width, height = picture.size
        in_header = picture.format != "PNG" or "exif" in picture.info
        turned = in_header and picture.getexif().get(Base.Orientation) in TURNED
        return (height, width) if turned else (width, height)


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[Image.Image]:
    """An undecoded picture; whatever goes wrong with it becomes one line."""
    label = str(source) if isinstance(source, Path) else name
    if isinstance(source, Path) and source.is_dir():
        raise ToileError(f"{label} is a folder; give a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn of oddities they can cope with; the limit is ours
            with Image.open(source if isinstance(source, Path) else BytesIO(source)) as picture:
                check_pixels(label, picture.size)
                yield picture
    except ToileError:
        raise
    except FileNotFoundError as error:
        raise ToileError(f"{label} does not exist; check the name") from error
    except UnidentifiedImageError as error:
        empty = not (source.stat().st_size if isinstance(source, Path) else len(source))
        what = "is an empty file" if empty else "is not a picture that can be read"
        raise ToileError(f"{label} {what}; give a JPEG, PNG, WebP or TIFF") from error
    except Image.DecompressionBombError as error:
        raise ToileError(
            f"{label} has more than {PIXEL_LIMIT:,} pixels, which is the limit; scale it down"
        ) from error
    except Exception as error:  # decoders meet damage in many ways: OSError, SyntaxError, struct.error...
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ToileError(f"{label} is damaged or cut short ({reason}); get the picture again") from error


def check_pixels(name: Path | str, size: tuple[int, int]) -> None:
    """Refuse a picture without pixels, or with too many.

    Raises:
        ToileError: when its (width, height) is such.
    """
    if min(size) < 1:
        raise ToileError(f"{name} has no pixels ({size[0]}×{size[1]}); give another picture")
    if size[0] * size[1] > PIXEL_LIMIT:
        raise ToileError(
            f"{name} has {size[0]}×{size[1]} pixels, more than the limit of {PIXEL_LIMIT:,}; scale it down"
        )
