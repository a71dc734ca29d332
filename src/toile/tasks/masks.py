"""Where to work in a photo: in a mask that is given, in one that is found, or everywhere."""

from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from toile.bundled import TINY
from toile.errors import ToileError
from toile.images import as_mask, fit_mask

AUTO: Literal["auto"] = "auto"
MaskChoice = Image.Image | Literal["auto"] | None
"""A mask, white where to work, of its photo's size; `auto` has it found; None works everywhere."""


@dataclass(frozen=True, kw_only=True)
class Region:
    """The part of a photo that is worked on."""

    mask: Image.Image | None
    """White there, black elsewhere, "L", of the photo's size; None is the whole photo."""
    origin: bool | str
    """Whether it is a mask that was given, for a picture's metadata: True, False, or "automatic"."""
    note: str | None = None
    """What there is to say about it, in one line."""


class MaskFinder:
    """Finds the masks of photos by a parser.

    Without the bundled parser nothing is found; a parser that the user has named has to be there.

    Args:
        parser: `tiny`, a folder, or a hub name.
        device: as torch names it.

    Raises:
        ToileError: when a parser that was named cannot be loaded.
    """

    def __init__(self, parser: str = TINY, device: str = "cpu") -> None:
        from toile.data.automatic_mask import AutomaticMask
        from toile.data.parsing import Parser

        self.parser = parser
        self.problem: str | None = None
        """Why nothing can be found, if so."""
        self._masks: Any = None
        try:
            self._masks = AutomaticMask(Parser.from_pretrained(parser, device=device))
        except ToileError as error:
            if parser != TINY:
                raise
            self.problem = str(error)

    def find(self, photo: Image.Image, category: str, size: tuple[int, int]) -> Image.Image | None:
        """The mask of a photo; None when no garment of the category is found.

        Args:
            photo: RGB.
            category: of the garment.
            size: (height, width) that will be worked at, where something of the mask has to remain.
        """
        if self._masks is None:
            return None
        try:
            mask: Image.Image = self._masks.mask_for(photo, category)
        except ToileError:
            return None
        return None if fit_mask(mask, size).getbbox() is None else mask

    def region(
        self,
        photo: Image.Image,
        mask: MaskChoice,
        category: str,
        size: tuple[int, int],
        instead: str,
    ) -> Region:
        """Take the mask that is given, or find it, or take the whole photo.

        Args:
            photo: RGB.
            mask: what was asked for.
            category: of the garment.
            size: (height, width) that will be worked at.
            instead: what is done without a mask, for the note.

        Raises:
            ToileError: when the mask has another size than the photo, or nothing of it is left.
        """
        if isinstance(mask, Image.Image):
            return Region(mask=check_region(as_mask(mask, photo.size), size), origin=True)
        if mask is None:
            return Region(mask=None, origin=False, note=instead)
        found = self.find(photo, category, size)
        if found is not None:
            note = f"no mask was given: the parser {self.parser} found the garment ({category}) itself"
            return Region(mask=found, origin="automatic", note=note)
        why = self.problem or f"the parser {self.parser} finds no garment ({category})"
        note = f"no mask was given, and none is found ({why}): {instead}"
        return Region(mask=None, origin=False, note=note)


def check_region(mask: Image.Image, size: tuple[int, int], name: str = "the mask") -> Image.Image:
    """Give a mask back, unless nothing of it is left at the size that will be worked at.

    Raises:
        ToileError: in that case.
    """
    if fit_mask(mask, size).getbbox() is None:
        raise ToileError(f"{name} marks so little that nothing remains at {size[0]}×{size[1]}")
    return mask


def repainted(region: Region, photo: Image.Image, category: str) -> Image.Image:
    """The mask of a region; a box over the category's usual place stands for the whole photo."""
    if region.mask is not None:
        return region.mask
    from toile.twgtm.regions import default_region

    return default_region(category, (photo.height, photo.width))


def usual_place(category: str, photo: str = "the photo") -> str:
    """Say that a box is repainted for want of a mask."""
    return (
        f"a box over the usual place of the category ({category}) is repainted, as if {photo} showed one "
        "person standing, from head to foot"
    )
