"""Parse maps on disk: pictures whose pixels are labels, grey or with a palette that shows them."""

from pathlib import Path

import numpy as np
from PIL import Image

from toile.data.parse_labels import LIP, LabelSet
from toile.data.picture_files import as_parse_map
from toile.decoding import decode
from toile.dolls.layouts import LIP_PALETTE
from toile.errors import ToileError
from toile.files import whole_file


def read_parse_map(path: Path | str, label_set: LabelSet = "lip") -> Image.Image:
    """Read a parse map as "L" with LIP's labels.

    SCHP (Self-Correction for Human Parsing) and VITON-HD's `image-parse-v3` are palette PNGs whose indices
    are LIP's labels; DressCode's `label_maps` hold ATR's. Grey pictures are read as labels too; of colours,
    nothing says what they mean.

    Raises:
        ToileError: when there is no such file, its pixels are colours, or it holds a label that the set has
            not.
    """
    path = Path(path)
    picture = decode(path)
    try:
        return as_parse_map(picture, label_set, picture.size)
    except ToileError as error:
        raise ToileError(f"parse map {path}: {error}") from error


def write_parse_map(parse: Image.Image, path: Path) -> None:
    """Write an "L" picture of LIP's labels as a palette PNG, as VITON-HD's are.

    Raises:
        ToileError: when it holds other numbers, or the file cannot be written.
    """
    with whole_file(path) as beside:
        colour_labels(parse).save(beside, format="PNG")


def colour_labels(parse: Image.Image) -> Image.Image:
    """An "L" picture of LIP's labels as a palette picture: the labels stay, the palette shows them.

    Raises:
        ToileError: when it holds other numbers.
    """
    labels = np.asarray(parse)
    if labels.ndim != 2 or labels.max(initial=0) >= len(LIP):
        raise ToileError(
            f"a {parse.mode} picture with values up to {labels.max(initial=0)} is no parse map; "
            f"LIP's labels are 0 to {len(LIP) - 1}"
        )
    shown = Image.fromarray(labels.astype(np.uint8)).convert("P")
    shown.putpalette(LIP_PALETTE)
    return shown
