"""Masks that a command finds by itself where none is given, and the one line that says so."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from PIL import Image

from toile.bundled import TINY
from toile.errors import ToileError
from toile.images import fit_mask

AUTO, NONE = "auto", "none"
SHOWN = 3
"""So many photos are named in a note; of more, only the number."""

MaskOption = Annotated[str, tyro.conf.arg(metavar="MASK|auto|none")]
ParserOption = Annotated[str, tyro.conf.arg(metavar="tiny|PATH|NAME")]


def given_mask(mask: Path | str) -> Path | None:
    """The file or folder that a mask option names; None for `auto` and `none`."""
    return None if mask in (AUTO, NONE) else Path(mask)


class MaskFinder:
    """Finds the masks of photos by a parser, and keeps account of it.

    Without the bundled parser nothing is found, which the note says; a parser that the user has named has to
    be there.

    Args:
        category: of the garments.
        parser: `tiny`, a folder, or a hub name.
        device: as torch names it.

    Raises:
        ToileError: when a parser that was named cannot be loaded.
    """

    def __init__(self, category: str, *, parser: str = TINY, device: str = "cpu") -> None:
        from toile.data.automatic_mask import AutomaticMask
        from toile.data.parsing import Parser

        self.category, self.parser, self.device = category, parser, device
        self.found, self.missed = 0, list[str]()
        self.problem: str | None = None
        self.masks: AutomaticMask | None = None
        try:
            self.masks = AutomaticMask(Parser.from_pretrained(parser, device=device))
        except ToileError as error:
            if parser != TINY:
                raise
            self.problem = str(error)

    def find(self, photo: Image.Image, name: str, size: tuple[int, int]) -> Image.Image | None:
        """The mask of a photo; None when no garment of the category is found.

        Args:
            photo: RGB.
            name: of the photo, for the note.
            size: (height, width) that will be worked at, where something of the mask has to remain.
        """
        if self.masks is None:
            self.missed.append(name)
            return None
        try:
            mask = self.masks.mask_for(photo, self.category)
        except ToileError:
            mask = None
        if mask is None or fit_mask(mask, size).getbbox() is None:
            self.missed.append(name)
            return None
        self.found += 1
        return mask

    def note(self, option: str, instead: str) -> None:
        """Say in one line on stderr what was found, and what was done instead where nothing was.

        Args:
            option: that gives a mask, as `--mask`.
            instead: what was done without one.
        """
        if not self.found and not self.missed:
            return
        if self.problem is not None:
            say(f"no mask was given, and none can be found ({self.problem}): {instead}")
        elif not self.missed:
            say(
                f"no mask was given: the parser {self.parser} found the garment ({self.category}) itself; "
                f"{option} MASK gives your own, {option} none does without"
            )
        else:
            few = len(self.missed) <= SHOWN
            where = ", ".join(self.missed) if few else f"{len(self.missed)} of the photos"
            say(
                f"no mask was given, and the parser {self.parser} finds no garment ({self.category}) "
                f"in {where}: {instead}"
            )


def say(note: str) -> None:
    """Print a note, one line on stderr."""
    print(f"note: {' '.join(note.split())}", file=sys.stderr)


def usual_place(option: str, category: str, photo: str) -> str:
    """Say that a box is repainted for want of a mask."""
    return (
        f"without {option} a box over the usual place of the category ({category}) is repainted, "
        f"as if {photo} showed one person standing, from head to foot"
    )
