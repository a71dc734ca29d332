"""Two results side by side: differences on the same pictures, and whether chance explains them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toile.errors import ToileError
from toile.evaluation.bootstrap import Interval, bootstrap_difference, sign_flip_test
from toile.evaluation.protocols.result import EvaluationResult, Summary
from toile.evaluation.reports.fields import flattened, spoken
from toile.evaluation.reports.table import confidence_of, figure_of, number, signed

FEWEST = 2
"""Pictures that an interval takes."""
NAMED = 3
"""So many differing fields are named when a comparison is refused."""


@dataclass(frozen=True, kw_only=True)
class FieldDifference:
    """One thing in which two evaluations are not alike."""

    field: str
    """Its dotted name, as `pictures.size`."""
    first: str
    """What it is in the first result."""
    second: str
    """What it is in the second."""

    def __str__(self) -> str:
        """For one line."""
        return f"{self.field} is {self.first} and {self.second}"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What the first system has of a metric that the second has not."""

    metric: str
    """The metric's short name."""
    figure: Summary
    """The mean of first - second, with a paired interval; NaN ends for sets."""
    p: float
    """Of the sign-flip test of "they are alike"; NaN for sets, not corrected for the number of metrics."""
    count: int
    """Pictures of which both values are known and finite; for sets, all of the first."""
    higher_is_better: bool
    """The metric's direction."""

    @property
    def better(self) -> bool | None:
        """Whether the first is better beyond what the choice of pictures explains; None when undecided."""
        if self.figure.low > 0:
            return self.higher_is_better
        if self.figure.high < 0:
            return not self.higher_is_better
        return None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two results, metric by metric."""

    first: EvaluationResult
    """What is looked at."""
    second: EvaluationResult
    """What it is compared with."""
    differences: Mapping[str, Difference]
    """By metric, those that both have."""
    pairs: tuple[tuple[int, int], ...]
    """The places in both results of the items that both have, sorted by identifier."""
    remarks: tuple[str, ...]
    """What a reader has to know."""


def compare(
    first: EvaluationResult, second: EvaluationResult, *, different_protocols: bool = False
) -> Comparison:
    """Compare two results on the items that both have.

    Args:
        first: what is looked at.
        second: what it is compared with.
        different_protocols: go on where they were not measured alike.

    Raises:
        ToileError: when they were not, or have no item or no metric in common.
    """
    differing = protocol_differences(first, second)
    if differing and not different_protocols:
        raise ToileError(_refusal(first, second, differing))
    places = {item.identifier: place for place, item in enumerate(second.items)}
    pairs = tuple(
        (place, places[item.identifier])
        for place, item in sorted(enumerate(first.items), key=lambda entry: entry[1].identifier)
        if item.identifier in places
    )
    shared = [name for name in first.metrics if name in second.metrics]
    if not pairs or not shared:
        what = "picture" if not pairs else "metric"
        raise ToileError(f"{first.system} and {second.system} have no {what} in common; nothing is compared")
    return Comparison(
        first=first,
        second=second,
        differences={name: _difference(first, second, name, pairs) for name in shared},
        pairs=pairs,
        remarks=tuple(_remarks(first, second, len(pairs), differing)),
    )


def protocol_differences(first: EvaluationResult, second: EvaluationResult) -> tuple[FieldDifference, ...]:
    """Everything that keeps two results from standing side by side, field by field.

    The protocols' fields, the hashes of the networks' weights, and truths of other pixels.
    """
    sides = [_decisive(result) for result in (first, second)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    found = [
        FieldDifference(field=name, first=_said(sides[0], name), second=_said(sides[1], name))
        for name in names
        if sides[0].get(name) != sides[1].get(name)
    ]
    changed = _other_truths(first, second)
    if changed:
        truth = FieldDifference(
            field=f"the truth of {changed[0]}" + (f" and {len(changed) - 1} more" if changed[1:] else ""),
            first="one picture",
            second="another",
        )
        found.append(truth)
    if not found and first.protocol_hash != second.protocol_hash:
        hashes = [result.protocol_hash[:12] for result in (first, second)]
        found.append(FieldDifference(field="protocol_hash", first=hashes[0], second=hashes[1]))
    return tuple(found)


def _decisive(result: EvaluationResult) -> dict[str, object]:
    """What decides figures, flat; titles and other prose do not."""
    protocol = json.loads(json.dumps(dict(result.protocol)))
    fields = {name: value for name, value in protocol.items() if name not in ("title", "source", "silences")}
    weights = {name: {"sha256": of.get("sha256", "")} for name, of in result.weights.items()}
    return flattened({**fields, "weights": weights})


def _said(side: Mapping[str, object], name: str) -> str:
    if name not in side:
        return "not there"
    text = spoken(side[name])
    return text[:12] if name.endswith("sha256") else text


def _other_truths(first: EvaluationResult, second: EvaluationResult) -> list[str]:
    """The items whose truths are not the same pixels."""
    known = {item.identifier: item.target_sha256 for item in second.items if item.target_sha256}
    return [
        item.identifier
        for item in first.items
        if item.target_sha256 and known.get(item.identifier, item.target_sha256) != item.target_sha256
    ]


def _refusal(first: EvaluationResult, second: EvaluationResult, differing: Sequence[FieldDifference]) -> str:
    named = "; ".join(map(str, differing[:NAMED]))
    more = f"; and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
    return (
        f"{first.system} and {second.system} were not measured alike: {named}{more}; measure both under one "
        "protocol, or pass --different-protocols to see all that differs"
    )


def _difference(
    first: EvaluationResult, second: EvaluationResult, metric: str, pairs: Sequence[tuple[int, int]]
) -> Difference:
    better = first.metrics[metric].higher_is_better
    if metric not in first.values or metric not in second.values:
        gap = figure_of(first, metric).value - figure_of(second, metric).value
        figure = Summary(value=gap, low=math.nan, high=math.nan)
        return Difference(
            metric=metric, figure=figure, p=math.nan, count=first.count, higher_is_better=better
        )
    both = paired_values(first, second, metric, pairs)
    if len(both) < FEWEST:
        gap = float((both[:, 0] - both[:, 1]).mean()) if len(both) else math.nan
        figure, p = Summary(value=gap, low=math.nan, high=math.nan), math.nan
    else:
        found: Interval = bootstrap_difference(both[:, 0], both[:, 1], confidence=confidence_of(first))
        figure = Summary(value=found.mean, low=found.low, high=found.high)
        p = sign_flip_test(both[:, 0], both[:, 1])
    return Difference(metric=metric, figure=figure, p=p, count=len(both), higher_is_better=better)


def paired_values(
    first: EvaluationResult, second: EvaluationResult, metric: str, pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Both systems' values of one metric where both are known and finite: one row a picture, two columns."""
    columns = (first.values[metric], second.values[metric])
    rows = [(columns[0][one], columns[1][other]) for one, other in pairs]
    known = [row for row in rows if all(value is not None and math.isfinite(value) for value in row)]
    return np.array(known, dtype=np.float64).reshape(-1, 2)


def _remarks(
    first: EvaluationResult, second: EvaluationResult, common: int, differing: Sequence[FieldDifference]
) -> list[str]:
    remarks = []
    if differing:
        remarks.append("not measured alike: these differences are not those of the systems alone")
    for result in (first, second):
        if not result.conforming:
            remarks.append(f"{result.system} is not the benchmark: something differs from its protocol")
    if common < max(first.count, second.count):
        remarks.append(f"compared on the {common:,} pictures that both have")
    for name in sorted({*first.versions, *second.versions}):
        versions = [result.versions.get(name, "not there") for result in (first, second)]
        if versions[0] != versions[1]:
            remarks.append(f"{name} is {versions[0]} and {versions[1]}")
    return remarks


def difference_text(difference: Difference, decimals: int) -> tuple[str, str, str]:
    """A difference for tables: its value with its sign, its interval, and its p-value; empty without one."""
    figure = difference.figure
    interval = "" if math.isnan(figure.low) else _ends(figure, decimals)
    return signed(figure.value, decimals), interval, probability(difference.p)


def _ends(figure: Summary, decimals: int) -> str:
    return f"[{signed(figure.low, decimals)}, {signed(figure.high, decimals)}]"


def probability(p: float) -> str:
    """A p-value with two digits, "< 0.001" below that; empty for NaN."""
    if math.isnan(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {number(p, 3 if p < 0.1 else 2)}"
