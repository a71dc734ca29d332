"""Where garments are worn in a prediction, for metrics that look at one garment after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from toile.data.parse_labels import GARMENT_LABELS
from toile.data.picture_files import read_mask

if TYPE_CHECKING:
    from toile.data.parsing import Parser


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Finds regions: in a folder of masks, by a parser, or not at all.

    Source: AnyDressing, Sec. 5.1, finds "the matching partitions of the reference garments" by OpenPose.
    Ours: by human parsing, which says more about where a garment ends; the result names the parser.
    """

    folder: Path | None = None
    """Masks `IDENTIFIER-KIND.png`, white where the garment of that kind is worn."""
    parser: str | None = None
    """A parser's name or folder, asked where there is no folder."""
    device: str = "cpu"
    """Where the parser runs."""

    def of(
        self, identifiers: Sequence[str], predictions: Sequence[Image.Image]
    ) -> list[dict[str, Image.Image]]:
        """For each prediction, its regions by kind, "L", 0 or 255, of its size; empty where nobody knows."""
        if self.folder is not None:
            return [_read(self.folder, identifier) for identifier in identifiers]
        if self.parser is not None:
            return [_parsed(found) for found in _parser(self.parser, self.device)(list(predictions))]
        return [{} for _ in identifiers]


def _read(folder: Path, identifier: str) -> dict[str, Image.Image]:
    paths = folder.glob(f"{escape(identifier)}-*.png")
    return {path.stem.rpartition("-")[2]: read_mask(path) for path in sorted(paths)}


def _parsed(labels: Image.Image) -> dict[str, Image.Image]:
    """The regions of the kinds of garments that a parse map knows."""
    pixels = np.asarray(labels)
    return {
        str(kind): Image.fromarray(np.isin(pixels, sorted(values)).astype(np.uint8) * 255)
        for kind, values in GARMENT_LABELS.items()
    }


@lru_cache(maxsize=1)
def _parser(name: str, device: str) -> "Parser":
    from toile.data.parsing import Parser

    return Parser.from_pretrained(name, device=device)
