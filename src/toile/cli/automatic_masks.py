"""Masks that a command finds by itself where none is given, and the one line that says so."""

import sys
from pathlib import Path
from typing import Annotated

import tyro
from PIL import Image

from toile.bundled import TINY
from toile.tasks.masks import AUTO, MaskFinder, usual_place

NONE = "none"
SHOWN = 3
"""So many photos are named in a note; of more, only the number."""

MaskOption = Annotated[str, tyro.conf.arg(metavar="MASK|auto|none")]
ParserOption = Annotated[str, tyro.conf.arg(metavar="tiny|PATH|NAME")]


def given_mask(mask: Path | str) -> Path | None:
    """The file or folder that a mask option names; None for `auto` and `none`."""
    return None if mask in (AUTO, NONE) else Path(mask)


class NotedMasks:
    """Finds the masks of photos by a parser, and keeps account of it.

    Args:
        category: of the garments.
        parser: `tiny`, a folder, or a hub name.
        device: as torch names it.

    Raises:
        ToileError: when a parser that was named cannot be loaded.
    """

    def __init__(self, category: str, *, parser: str = TINY, device: str = "cpu") -> None:
        self.category, self.finder = category, MaskFinder(parser, device)
        self.found, self.missed = 0, list[str]()

    def find(self, photo: Image.Image, name: str, size: tuple[int, int]) -> Image.Image | None:
        """The mask of a photo; None when no garment of the category is found.

        Args:
            photo: RGB.
            name: of the photo, for the note.
            size: (height, width) that will be worked at, where something of the mask has to remain.
        """
        mask = self.finder.find(photo, self.category, size)
        if mask is None:
            self.missed.append(name)
        else:
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
        parser = self.finder.parser
        if self.finder.problem is not None:
            say(f"no mask was given, and none can be found ({self.finder.problem}): {instead}")
        elif not self.missed:
            say(
                f"no mask was given: the parser {parser} found the garment ({self.category}) itself; "
                f"{option} MASK gives your own, {option} none does without"
            )
        else:
            few = len(self.missed) <= SHOWN
            where = ", ".join(self.missed) if few else f"{len(self.missed)} of the photos"
            say(
                f"no mask was given, and the parser {parser} finds no garment ({self.category}) "
                f"in {where}: {instead}"
            )


def say(note: str) -> None:
    """Print a note, one line on stderr."""
    print(f"note: {' '.join(note.split())}", file=sys.stderr)


def box_instead(option: str, category: str, photo: str) -> str:
    """Say that a box is repainted for want of a mask."""
    return f"without {option} {usual_place(category, photo)}"
