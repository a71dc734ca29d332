"""What is known of pairs beside their pictures: `dolls.jsonl` from `toile dolls make`, or captions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toile.data.caption_cache import PHOTO_FOLDERS, read_captions
from toile.data.pair_list import read_text
from toile.errors import ToileError

FILE = "dolls.jsonl"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a dataset says about a pair beside its pictures."""

    caption: str = ""
    """Describes the photo."""
    garment_caption: str = ""
    """Describes the flat garment."""
    reasons: frozenset[str] | None = None
    """What makes the pair hard; None when unknown."""
    hardness: Mapping[str, float] = field(default_factory=dict)
    """The same with numbers."""


def read_labels(*folders: Path) -> dict[str, Labels]:
    """What is known of the pairs in the first of `folders`, by the stem of the person's file.

    Labels come from the first of `folders` that has any; without them, captions from all of them
    (`toile data caption`).

    Raises:
        ToileError: when a file is damaged.
    """
    for folder in folders:
        path = folder / FILE
        if path.is_file():
            lines = enumerate(read_text(path, "the file of labels").split("\n"), 1)
            return dict(_labels(path, number, line) for number, line in lines if line.strip())
    return _captions(folders)


def _captions(folders: Sequence[Path]) -> dict[str, Labels]:
    """The captions of the photos in the first of `folders`; the nearest file counts."""
    found: dict[str, Labels] = {}
    for folder in (*(folders[0] / name for name in PHOTO_FOLDERS), *folders):
        for name, caption in read_captions(folder).items():
            photo = folder / name
            if photo.is_relative_to(folders[0]) and photo.parent.name in PHOTO_FOLDERS:
                found.setdefault(photo.stem, Labels(caption=caption))
    return found


def _labels(path: Path, number: int, line: str) -> tuple[str, Labels]:
    try:
        row = json.loads(line)
        hardness = {name: float(value) for name, value in row.get("hardness", {}).items()}
        reasons = frozenset(row["reasons"]) if "reasons" in row else None
        return str(row["identifier"]), Labels(
            caption=row.get("caption", ""),
            garment_caption=row.get("garment_caption", ""),
            reasons=reasons,
            hardness=hardness,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ToileError(
            f"{path}, line {number}, holds no labels ({error}); write the dataset again"
        ) from error
