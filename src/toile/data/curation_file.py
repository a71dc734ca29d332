"""`curation.jsonl`: one line for the settings, then one line a pair: its scores, and what follows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toile.data.curation_rules import Thresholds
from toile.data.hardness_measures import REASONS
from toile.data.json_lines import read_lines
from toile.errors import ToileError
from toile.files import write_text

SETTINGS = "curation"
"""The key of the first line."""
DECISIONS_SUFFIX = ".decisions.jsonl"

Key = tuple[str, str]
"""Names a pair within its source: category, identifier."""


@dataclass(frozen=True, kw_only=True)
class CurationSettings:
    """How a curation was made."""

    source: str
    """The dataset, in the words of `open_pairs`."""
    split: str = "train"
    """Its split."""
    share: float = 0.2
    """The share of all pairs that was to be kept."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """From which score on each reason counted."""


@dataclass(frozen=True, kw_only=True)
class CuratedRow:
    """One pair of a curation."""

    index: int
    """Its place in the dataset."""
    identifier: str
    """Its name there."""
    category: str
    """Its garment's kind."""
    scores: Mapping[str, float | None]
    """Each of `REASONS` in [0, 1]; None when unknown."""
    unknown: Mapping[str, str]
    """Why the unknown ones are."""
    reasons: frozenset[str]
    """What speaks against the pair; extreme_proportion is mended, not dropped."""
    hard_case: bool
    """Whether something is hidden or cut off that does not matter."""
    quality: float
    """How good the pair is, in [0, 1]."""
    keep: bool
    """Whether it belongs to the curated pairs."""

    @property
    def key(self) -> Key:
        """Names the pair within its source."""
        return self.category, self.identifier


@dataclass(frozen=True, kw_only=True)
class Curation:
    """A whole curation."""

    settings: CurationSettings
    """How it was made."""
    rows: Sequence[CuratedRow]
    """Every pair, in the dataset's order."""


def decisions_path(curation: Path) -> Path:
    """Where decisions made by hand about a curation are kept: beside it."""
    return curation.with_name(curation.name.removesuffix(".jsonl") + DECISIONS_SUFFIX)


def write_curation(curation: Curation, path: Path) -> None:
    """Write a curation, whole or not at all.

    Raises:
        ToileError: when the file cannot be written.
    """
    lines = [{SETTINGS: asdict(curation.settings)}, *(_as_json(row) for row in curation.rows)]
    write_text("".join(json.dumps(line) + "\n" for line in lines), path)


def read_curation(path: Path) -> Curation:
    """Read a curation.

    Raises:
        ToileError: when the file is missing or is no curation.
    """
    if not path.is_file():
        raise ToileError(f"no curation at {path}; write one with `toile data curate SOURCE -o {path}`")
    lines = read_lines(path)
    if not lines or not isinstance(lines[0].get(SETTINGS), dict):
        raise ToileError(f"{path} does not begin with a curation's settings; write it with toile data curate")
    try:
        written = dict(lines[0][SETTINGS])
        thresholds = Thresholds(**written.pop("thresholds"))
        settings = CurationSettings(**written, thresholds=thresholds)
        return Curation(settings=settings, rows=[_from_json(line) for line in lines[1:]])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ToileError(
            f"{path} is no curation of this version ({type(error).__name__}: {error}); write it anew"
        ) from error


def _as_json(row: CuratedRow) -> dict[str, object]:
    scores = {name: None if score is None else round(score, 4) for name, score in row.scores.items()}
    return asdict(row) | {"scores": scores, "reasons": sorted(row.reasons), "quality": round(row.quality, 4)}


def _from_json(line: Mapping[str, Any]) -> CuratedRow:
    scores = {name: None if line["scores"][name] is None else float(line["scores"][name]) for name in REASONS}
    return CuratedRow(
        index=int(line["index"]),
        identifier=str(line["identifier"]),
        category=str(line["category"]),
        scores=scores,
        unknown={str(name): str(why) for name, why in line["unknown"].items()},
        reasons=frozenset(map(str, line["reasons"])),
        hard_case=bool(line["hard_case"]),
        quality=float(line["quality"]),
        keep=bool(line["keep"]),
    )
