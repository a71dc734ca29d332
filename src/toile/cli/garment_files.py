"""The options that name pictures of garments, each with its kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toile.errors import ToileError

PictureOption = Annotated[Path | None, tyro.conf.arg(metavar="PICTURE")]


@dataclass(frozen=True, kw_only=True)
class GarmentFiles:
    """Pictures of the garments, flat or cut out of a photo."""

    upper: PictureOption = None
    """A shirt, a jacket, a pullover."""
    lower: PictureOption = None
    """Trousers, a skirt."""
    dress: PictureOption = None
    """A dress."""
    hat: PictureOption = None
    """A hat."""
    garment: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KIND=PICTURE")] = ()
    """A garment of another kind that the model knows, or one more of these; may be given several times."""

    def by_kind(self) -> dict[str, list[Path]]:
        """The files of the garments of each kind.

        Raises:
            ToileError: when a `garment` is not written as KIND=PICTURE.
        """
        named = [(kind, getattr(self, kind)) for kind in ("upper", "lower", "dress", "hat")]
        found: dict[str, list[Path]] = {kind: [path] for kind, path in named if path is not None}
        for kind, path in map(_parsed, self.garment):
            found.setdefault(kind, []).append(path)
        return found


def _parsed(text: str) -> tuple[str, Path]:
    kind, _, file = text.partition("=")
    if not kind.strip() or not file.strip():
        raise ToileError(f"garment {text!r} is not understood; write KIND=PICTURE, as scarf=scarf.png")
    return kind.strip(), Path(file.strip())


OwnGarmentFiles = Annotated[GarmentFiles, tyro.conf.arg(name="garments")]
"""The options as a command's field: the name is a heading of its help."""
