"""What an evaluation gives: JSON with every value, and everything that is needed to repeat it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toile.errors import ToileError
from toile.files import write_text

FORMAT = 1
"""The version of the JSON; goes up when a field changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class MetricDescription:
    """What a column of figures is."""

    name: str
    """As it is printed: "SSIM", "KID × 1e3", "FD-dolls"."""
    higher_is_better: bool
    """The direction."""
    low: float
    """The least that it can be; may be -inf."""
    high: float
    """The most that it can be; may be inf."""
    definition: str
    """One sentence: formula, constants, network."""
    backbone: str | None
    """The network that it stands on."""
    scale: float
    """What its values have been multiplied by already."""
    of_sets: bool
    """Whether it compares whole sets (`sets`) instead of pictures (`values`, `summary`)."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedItem:
    """One prediction, and what it was made from and compared with."""

    identifier: str
    """The pair's."""
    category: str
    """The garment's."""
    labels: tuple[str, ...]
    """What makes it hard, sorted; for dolls the mode too."""
    prediction: str
    """Its file, relative to the predictions' folder."""
    target: str
    """The truth's file, or `dolls:MODE:SEED:garment`; empty where there is no truth."""
    inputs: tuple[str, ...]
    """What the method saw, written so too."""
    prediction_sha256: str
    """Hash of the prediction's file."""
    target_sha256: str
    """Hash of the truth's RGB bytes as they were compared; empty where there is no truth."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A figure and its interval; NaN ends where no interval was asked for."""

    value: float
    """The mean over the pictures, or the sets' figure."""
    low: float
    """The interval's lower end."""
    high: float
    """The interval's upper end."""


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """Every value of one folder of predictions under one protocol."""

    toile: str
    """This library's version."""
    system: str
    """What the predictions are called in tables: the folder's name, unless another was given."""
    protocol: Mapping[str, Any]
    """The protocol as it was used, with the hash of the list and the metrics' definitions filled in."""
    protocol_hash: str
    """`Protocol.hash` of that."""
    conforming: bool
    """Whether nothing was overridden or left out; False means: not the benchmark, see the notes."""
    task: str
    """What the pictures were made by."""
    predictions: str
    """The folder."""
    count: int
    """How many predictions were measured."""
    versions: Mapping[str, str]
    """Versions of the libraries that change figures."""
    weights: Mapping[str, Mapping[str, str]]
    """By network: where its weights came from ("source") and their "sha256"."""
    metrics: Mapping[str, MetricDescription]
    """By the metric's short name, in the table's order."""
    items: tuple[EvaluatedItem, ...]
    """The predictions, sorted by identifier."""
    values: Mapping[str, tuple[float | None, ...]]
    """By metric: one value an item; None where it is not defined for it."""
    sets: Mapping[str, Summary]
    """By metric of whole sets: its figure and interval."""
    summary: Mapping[str, Summary]
    """By metric of pictures: mean and interval."""
    notes: tuple[str, ...] = ()
    """What a reader of the figures has to know."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the predictions' own settings file or metadata says of how they were made."""


def write_result(result: EvaluationResult, path: Path) -> None:
    """Write a result as JSON, whole or not at all.

    JSON has no infinities: they and NaN become the strings "inf", "-inf" and "nan".

    Raises:
        ToileError: when the file cannot be written.
    """
    content = {"format": FORMAT, **_plain(asdict(result))}
    write_text(json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n", path)


def read_result(path: Path) -> EvaluationResult:
    """Read what `write_result` wrote.

    Raises:
        ToileError: when the file is missing, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return _result(content)
    except FileNotFoundError as error:
        raise ToileError(f"{path} does not exist; `toile evaluate` writes results") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ToileError(
            f"{path} is no result of an evaluation ({reason}); make one with `toile evaluate`"
        ) from error


def _result(content: dict[str, Any]) -> EvaluationResult:
    metrics = {name: MetricDescription(**_floats(of_one)) for name, of_one in content.pop("metrics").items()}
    items = tuple(
        EvaluatedItem(**{**item, "labels": tuple(item["labels"]), "inputs": tuple(item["inputs"])})
        for item in content.pop("items")
    )
    values = {
        name: tuple(None if value is None else float(value) for value in column)
        for name, column in content.pop("values").items()
    }
    short = next((name for name, column in values.items() if len(column) != len(items)), None)
    if short is not None:
        raise ValueError(f"{short} has {len(values[short])} values for {len(items)} items")
    sets, summary = (_summaries(content.pop(name)) for name in ("sets", "summary"))
    notes = tuple(content.pop("notes"))
    return EvaluationResult(
        **content, metrics=metrics, items=items, values=values, sets=sets, summary=summary, notes=notes
    )


def _summaries(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Summary]:
    return {
        name: Summary(**{end: float(value) for end, value in of_one.items()})
        for name, of_one in content.items()
    }


def _floats(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with the numbers that JSON has no word for."""
    numbers = {"low", "high", "scale"}
    return {name: float(value) if name in numbers else value for name, value in content.items()}


def _plain(content: Any) -> Any:
    """The same for JSON: tuples as lists, infinities and NaN as strings."""
    if isinstance(content, Mapping):
        return {name: _plain(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return "nan" if math.isnan(content) else "inf" if content > 0 else "-inf"
    return content
