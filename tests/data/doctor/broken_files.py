"""Pictures that are damaged, turned, of a wrong kind or a wrong size."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from tests.data.doctor.breaking import FIRST, Break, Found, edit, pixels_of


def zero_bytes(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").write_bytes(b"")
    return "file-empty", f"train/image/{FIRST}.jpg"


def cut_short(root: Path) -> Found:
    path = root / f"train/cloth/{FIRST}.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    return "file-truncated", f"train/cloth/{FIRST}.jpg"


def cut_png(root: Path) -> Found:
    path = root / f"train/image-parse-v3/{FIRST}.png"
    path.write_bytes(path.read_bytes()[:-60])
    return "file-truncated", f"train/image-parse-v3/{FIRST}.png"


def a_web_page(root: Path) -> Found:
    (root / f"train/image/{FIRST}.jpg").write_text("<!doctype html><title>404</title>")
    return "file-unreadable", f"train/image/{FIRST}.jpg"


def a_bomb(root: Path) -> Found:
    """A PNG of a few hundred bytes that claims 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    (root / f"train/agnostic-mask/{FIRST}_mask.png").write_bytes(png)
    return "picture-too-large", f"train/agnostic-mask/{FIRST}_mask.png"


def png_named_jpg(root: Path) -> Found:
    edit(root / f"train/cloth/{FIRST}.jpg", lambda picture: picture, format="PNG")
    return "extension-wrong", f"train/cloth/{FIRST}.jpg"


def one_colour(root: Path) -> Found:
    edit(root / f"train/image/{FIRST}.jpg", lambda picture: Image.new("RGB", picture.size, (90, 90, 90)))
    return "picture-blank", f"train/image/{FIRST}.jpg"


def turned_by_exif(root: Path) -> Found:
    exif = Image.Exif()
    exif[0x0112] = 6
    edit(root / f"train/image/{FIRST}.jpg", lambda picture: picture.rotate(90, expand=True), exif=exif)
    return "picture-rotated", f"train/image/{FIRST}.jpg"


def lying_on_its_side(root: Path) -> Found:
    edit(root / f"train/image/{FIRST}.jpg", lambda picture: picture.rotate(90, expand=True))
    return "picture-landscape", f"train/image/{FIRST}.jpg"


def another_size(root: Path) -> Found:
    edit(root / f"train/cloth/{FIRST}.jpg", lambda picture: picture.resize((48, 64)))
    return "size-differs", f"train/cloth/{FIRST}.jpg"


def printing_colours(root: Path) -> Found:
    edit(root / f"train/cloth/{FIRST}.jpg", lambda picture: picture.convert("CMYK"))
    return "picture-cmyk", f"train/cloth/{FIRST}.jpg"


def sixteen_bits(root: Path) -> Found:
    grey = pixels_of(root / f"train/agnostic-mask/{FIRST}_mask.png").astype(np.uint16) * 257
    Image.fromarray(grey).save(root / f"train/agnostic-mask/{FIRST}_mask.png")
    return "picture-16-bit", f"train/agnostic-mask/{FIRST}_mask.png"


def transparent(root: Path) -> Found:
    path = root / f"train/cloth/{FIRST}.jpg"
    edit(path, lambda picture: picture.convert("RGBA"), format="PNG")
    edit(path, lambda picture: _half_clear(picture), format="PNG")
    return "picture-alpha", f"train/cloth/{FIRST}.jpg"


def _half_clear(picture: Image.Image) -> Image.Image:
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def several_frames(root: Path) -> Found:
    path = root / f"train/cloth/{FIRST}.jpg"
    pixels = Image.fromarray(pixels_of(path))
    pixels.save(path, format="TIFF", save_all=True, append_images=[pixels.rotate(5)])
    return "picture-frames", f"train/cloth/{FIRST}.jpg"


FILES: tuple[Break, ...] = (
    zero_bytes,
    cut_short,
    cut_png,
    a_web_page,
    a_bomb,
    png_named_jpg,
    one_colour,
    turned_by_exif,
    lying_on_its_side,
    another_size,
    printing_colours,
    sixteen_bits,
    transparent,
    several_frames,
)
