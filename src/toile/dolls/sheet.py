"""A contact sheet: photo, agnostic mask, flat garment and caption of several dolls."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from toile.dolls.doll import Doll
from toile.errors import ToileError
from toile.files import whole_file

LINES, LINE_HEIGHT, GAP = 3, 13, 8


def contact_sheet(dolls: Sequence[Doll], columns: int = 4) -> Image.Image:
    """Puts dolls side by side, each as photo, photo with mask, flat garment and its caption."""
    tiles = [_tile(doll) for doll in dolls]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), (250, 249, 246))
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        sheet.paste(tile, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Writes a sheet beside its place and renames it; the file's name says the format.

    Raises:
        ToileError: A name without a picture's extension, or a place that cannot be written.
    """
    format_name = Image.registered_extensions().get(path.suffix.lower())
    if format_name is None or format_name not in Image.SAVE:
        raise ToileError(
            f"{path} does not end like a picture; name it, for example, {path.with_suffix('.png')}"
        )
    with whole_file(path) as beside:
        sheet.save(beside, format=format_name)


def _tile(doll: Doll) -> Image.Image:
    height, width = doll.size
    pictures = [doll.person, _masked(doll), doll.garment]
    tile = Image.new("RGB", (3 * width, height + LINES * LINE_HEIGHT + 4), (250, 249, 246))
    for index, picture in enumerate(pictures):
        tile.paste(Image.fromarray(picture), (index * width, 0))
    hard = f" [{', '.join(doll.hardness.labels)}]" if doll.hardness.is_hard else ""
    text = f"{doll.seed}: {doll.garment_caption}{hard}"
    lines = textwrap.wrap(text, max(12, 3 * width // 7))[:LINES]
    draw = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        draw.text((2, height + 2 + number * LINE_HEIGHT), line, fill=(40, 40, 46))
    return tile


def _masked(doll: Doll) -> np.ndarray:
    """The photo with the agnostic mask laid over it in red."""
    share = (doll.agnostic_mask > 0)[..., None] * 0.55
    red = np.array([224, 72, 72])
    return np.asarray(np.rint(doll.person * (1 - share) + red * share), np.uint8)
