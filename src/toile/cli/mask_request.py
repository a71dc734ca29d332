"""Which part of one photo is worked on: by a mask that is given, one that is found, or none."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from toile.bundled import TINY
from toile.cli.automatic_masks import NotedMasks, given_mask, say
from toile.cli.jobs import load_region
from toile.tasks.masks import AUTO, Region, repainted


@dataclass(frozen=True, kw_only=True)
class MaskRequest:
    """What a user said about the mask of one photo, and what to do where there is none."""

    mask: Path | str
    """A file, `auto` or `none`."""
    category: str
    """Of the garment."""
    parser: str = TINY
    """What finds a mask."""
    device: str = "cpu"
    """Where the parser runs, as torch names it."""
    option: str = "--mask"
    """The option that gives the mask, for the note."""
    instead: str
    """What is done without a mask, for the note."""

    def region(self, photo: Image.Image, name: str, size: tuple[int, int]) -> Region:
        """Read the mask, or find it, or take the whole photo; a note says so unless it was given.

        Args:
            photo: RGB.
            name: of the photo, for the note.
            size: (height, width) that will be worked at.

        Raises:
            ToileError: when the mask or the parser cannot be used.
        """
        given = given_mask(self.mask)
        if given is not None:
            return Region(mask=load_region(given, photo, size), origin=True)
        if self.mask != AUTO:
            say(self.instead)
            return Region(mask=None, origin=False)
        finder = NotedMasks(self.category, parser=self.parser, device=self.device)
        found = finder.find(photo, name, size)
        finder.note(self.option, self.instead)
        return Region(mask=found, origin=False if found is None else "automatic")

    def repainted(
        self, photo: Image.Image, name: str, size: tuple[int, int]
    ) -> tuple[Image.Image, bool | str]:
        """As `region`, with a box over the category's usual place instead of the whole photo.

        Returns:
            The mask and its origin.

        Raises:
            ToileError: as `region`.
        """
        found = self.region(photo, name, size)
        return repainted(found, photo, self.category), found.origin
