"""What the mask of a photo is called in a folder of masks: as its photo, or as `toile mask` writes it."""

from collections.abc import Mapping
from pathlib import Path

MASK = "mask"
"""What `toile mask` writes behind a photo's name and a hyphen."""


def mask_names(photo: str) -> tuple[str, ...]:
    """The names that the mask of a photo may have, the first one before the others; all without suffix."""
    return photo, f"{photo}-{MASK}"


def mask_among(files: Mapping[str, Path], photo: str) -> Path | None:
    """The mask of a photo among files by their names without suffix; None when there is none."""
    return next((files[name] for name in mask_names(photo) if name in files), None)
