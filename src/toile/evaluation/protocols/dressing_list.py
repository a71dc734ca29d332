"""The items of multi-garment dressing: which garments, and which text.

A folder holds `dressing.jsonl`, one object a line:
`{"identifier": "dress-001-3", "garments": {"upper": "uppers/001.jpg", "lower": "lowers/07.jpg"},
"prompt": "a woman in a park"}`. Paths are relative to the folder. Ours: no list was published.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toile.errors import ToileError
from toile.evaluation.protocols.truths import Shown
from toile.images import load_photo

FILE = "dressing.jsonl"


@dataclass(frozen=True, kw_only=True)
class DressingTruth:
    """Garments and a text; no picture of somebody wearing them exists."""

    identifier: str
    """Names the item."""
    folder: Path
    """What the garments' paths are relative to."""
    garments: Mapping[str, str]
    """The garments' files by kind."""
    prompt: str
    """The text."""

    @property
    def names(self) -> tuple[str, ...]:
        """The identifier."""
        return (self.identifier,)

    @property
    def line(self) -> str:
        """All of it."""
        worn = json.dumps(dict(sorted(self.garments.items())))
        return f"{self.identifier}\t{worn}\t{self.prompt}"

    def show(self) -> Shown:
        """Read the garments."""
        pictures = {kind: load_photo(self.folder / name) for kind, name in sorted(self.garments.items())}
        return Shown(
            category="+".join(pictures),
            labels=(f"{len(pictures)} garments",) if len(pictures) > 1 else ("1 garment",),
            target=None,
            target_name="",
            region=None,
            inputs=tuple(pictures.values()),
            input_names=tuple(name for _, name in sorted(self.garments.items())),
            prompt=self.prompt,
            garments=tuple(pictures.items()),
        )


def read_dressing_list(folder: Path) -> list[DressingTruth]:
    """The items of a folder, in the file's order.

    Raises:
        ToileError: when the list is missing, or a line has no identifier, garments and prompt, names a file
            outside of the folder, or one that is not there.
    """
    path = folder / FILE
    if not path.is_file():
        raise ToileError(f"{path} is missing; write one line an item: identifier, garments by kind, prompt")
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_truth(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _truth(path: Path, number: int, line: str) -> DressingTruth:
    try:
        row = json.loads(line)
        garments = {str(kind): str(name) for kind, name in row["garments"].items()}
        identifier, prompt = str(row["identifier"]), str(row["prompt"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToileError(
            f"{path}, line {number}, is no item ({error!r}); it needs identifier, garments and prompt"
        ) from error
    root = path.parent.resolve()
    for name in garments.values():
        found = (root / name).resolve()
        if not found.is_relative_to(root) or not found.is_file():
            raise ToileError(f"{path}, line {number}: {name!r} is no file inside of {path.parent}")
    if not garments or not identifier:
        raise ToileError(f"{path}, line {number}: an item needs an identifier and at least one garment")
    return DressingTruth(identifier=identifier, folder=path.parent, garments=garments, prompt=prompt)
