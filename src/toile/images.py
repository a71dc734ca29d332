"""Pictures in and out: what a user gives becomes an RGB photo or a mask, and results become PNGs.

Sizes of PIL pictures are (width, height); every other size is (height, width).
"""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from toile.decoding import check_pixels, decode
from toile.errors import ToileError
from toile.files import whole_file

METADATA_KEY = "toile"
"""The PNG text chunk that holds a picture's model, seed and settings, as JSON."""
MASK_THRESHOLD = 128
"""From this value on, of 255, a pixel of a mask counts as garment."""

Box = tuple[int, int, int, int]


def load_photo(path: Path | str) -> Image.Image:
    """Read a photo of any kind as upright 8-bit RGB: rotated by its EXIF, transparency laid on white.

    Raises:
        ToileError: when there is no such file, or it is no picture, cut short, empty or beyond `PIXEL_LIMIT`.
    """
    return as_photo(decode(Path(path)))


def load_mask(path: Path | str, photo_size: tuple[int, int]) -> Image.Image:
    """Read the mask of a photo as "L": 255 where the garment is, 0 elsewhere; transparent counts as 0.

    Args:
        path: a picture of any kind.
        photo_size: (width, height) of the upright photo, which the mask has to share.

    Raises:
        ToileError: as `load_photo`, and when the mask has another size, or marks nothing.
    """
    try:
        return as_mask(decode(Path(path)), photo_size)
    except ToileError as error:
        raise ToileError(f"mask {path}: {str(error).removeprefix(f'{path} ')}") from error


def as_photo(picture: Image.Image | np.ndarray) -> Image.Image:
    """Make any picture in memory 8-bit RGB, transparency laid on white.

    Args:
        picture: a PIL picture of any mode, or uint8 RGB (H, W, 3).

    Raises:
        ToileError: when an array is something else, or there are no pixels.
    """
    return _on_ground(_as_picture(picture), ground=255)


def as_mask(mask: Image.Image | np.ndarray, photo_size: tuple[int, int]) -> Image.Image:
    """Make any mask in memory "L" with the values 0 and 255 only; transparent counts as 0.

    Args:
        mask: a PIL picture of any mode, or uint8 (H, W); 255 where the garment is.
        photo_size: (width, height) of the photo, which the mask has to share.

    Raises:
        ToileError: when the size is another one, or no pixel reaches `MASK_THRESHOLD`.
    """
    picture = _as_picture(mask)
    if picture.size != tuple(photo_size):
        own, wanted = (f"{width}×{height}" for width, height in (picture.size, photo_size))
        raise ToileError(
            f"the mask has {own} pixels and its photo {wanted}; a mask has the size of its photo"
        )
    grey = _on_ground(picture, ground=0).convert("L")
    largest = int(grey.getextrema()[1])  # type: ignore[arg-type]
    if largest < MASK_THRESHOLD:
        raise ToileError(
            f"the mask is empty: its largest value is {largest}; mark the garment white (255) on black (0)"
        )
    return binary(grey)


def binary(mask: Image.Image) -> Image.Image:
    """An "L" mask with the values 0 and 255 only."""
    return mask.point([0] * MASK_THRESHOLD + [255] * (256 - MASK_THRESHOLD))


def fit(picture: Image.Image, size: tuple[int, int], fill: int = 255) -> tuple[Image.Image, Box]:
    """Scale a picture into a canvas, keep its aspect, centre it and pad the rest with one grey.

    White is the padding of photos: it is never mistaken for more of the person, as a smeared border would be,
    and it is the ground that garments are restored on. Masks are padded with 0: nothing to restore there.

    Args:
        picture: RGB or "L".
        size: (height, width) of the canvas.
        fill: value of the padding, in every channel.

    Returns:
        The canvas, and the box (left, top, right, bottom) that the picture fills in it.
    """
    height, width = size
    scale = min(width / picture.width, height / picture.height)
    inner = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    scaled = picture if inner == picture.size else picture.resize(inner, Image.Resampling.LANCZOS)
    canvas = Image.new(picture.mode, (width, height), (fill,) * len(picture.getbands()))
    canvas.paste(scaled, (left, top))
    return canvas, (left, top, left + inner[0], top + inner[1])


def fit_mask(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Do to a mask what `fit` does to its photo; the values stay 0 and 255."""
    return binary(fit(mask, size, fill=0)[0])


def save_png(picture: Image.Image, path: Path | str, metadata: Mapping[str, object]) -> None:
    """Write a PNG whole or not at all, with the metadata as JSON in its text chunk `toile`.

    Raises:
        ToileError: when the file cannot be written.
    """
    with whole_file(Path(path)) as beside:
        beside.write_bytes(encode_png(picture, metadata))


def encode_png(picture: Image.Image, metadata: Mapping[str, object]) -> bytes:
    """The bytes of a PNG, with the metadata as JSON in its text chunk `toile`."""
    info, content = PngInfo(), BytesIO()
    info.add_text(METADATA_KEY, json.dumps(dict(metadata)))  # plain ASCII, so a tEXt chunk
    picture.save(content, format="PNG", pnginfo=info)
    return content.getvalue()


def _as_picture(picture: Image.Image | np.ndarray) -> Image.Image:
    if isinstance(picture, np.ndarray):
        grey_or_colour = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in (3, 4))
        if picture.dtype != np.uint8 or not grey_or_colour:
            raise ToileError(
                f"an array of {picture.dtype} with shape {picture.shape} is no picture; "
                "give a PIL picture, or uint8 with shape (height, width, 3)"
            )
        check_pixels("the picture", (picture.shape[1], picture.shape[0]))
        return Image.fromarray(picture)
    check_pixels("the picture", picture.size)
    return picture


def _on_ground(picture: Image.Image, ground: int) -> Image.Image:
    """RGB, with whatever is transparent laid on a grey `ground`."""
    if picture.mode[0] in "IF":  # I;16 and its kin, 32-bit integers, floats
        return _eight_bits(picture).convert("RGB")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    canvas = Image.new("RGBA", picture.size, (ground, ground, ground, 255))
    return Image.alpha_composite(canvas, picture.convert("RGBA")).convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Scale grey of more than 8 bits: 16 bits from 0..65535, floats from 0..1 where they stay within that."""
    values = np.nan_to_num(np.asarray(picture).astype(np.float64))
    largest = float(values.max())
    white = (1.0 if largest <= 1 else 255.0) if picture.mode == "F" else max(65535.0, largest)
    return Image.fromarray((values / white * 255).round().clip(0, 255).astype(np.uint8))
