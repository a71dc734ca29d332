"""Figures by category and by what makes an item hard."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from toile.evaluation.bootstrap import bootstrap_mean
from toile.evaluation.protocols.result import EvaluationResult, Summary
from toile.evaluation.reports.table import confidence_of

NOTHING_HARD = "no label"
"""The items without any label."""
FEWEST = 5
"""Items that a group takes to be given intervals. Ours: those of fewer are far too narrow."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Items that have something in common."""

    kind: str
    """What they share: "category" or "difficulty"."""
    name: str
    """The category, or the label."""
    places: tuple[int, ...]
    """Their places among the result's items."""
    figures: Mapping[str, Summary]
    """By metric of pictures: the mean over them, with its interval."""

    def stands_out(self, metric: str, overall: float) -> bool:
        """Whether the mean over all lies outside of the group's interval; a NaN stands out from nothing."""
        figure = self.figures[metric]
        return figure.low > overall or figure.high < overall


def breakdown(result: EvaluationResult) -> tuple[Group, ...]:
    """The items by category, then by label; one item may have several labels.

    Where one category, or one label, is all there is, it says nothing and is left out.
    """
    kinds: dict[str, dict[str, list[int]]] = {"category": {}, "difficulty": {}}
    for place, item in enumerate(result.items):
        kinds["category"].setdefault(item.category or "–", []).append(place)
        for label in item.labels or (NOTHING_HARD,):
            kinds["difficulty"].setdefault(label, []).append(place)
    return tuple(
        _group(result, kind, name, places)
        for kind, groups in kinds.items()
        if len(groups) > 1
        for name, places in sorted(groups.items(), key=lambda entry: (entry[0] == NOTHING_HARD, entry[0]))
    )


def _group(result: EvaluationResult, kind: str, name: str, places: Sequence[int]) -> Group:
    confidence = confidence_of(result)
    figures = {
        metric: summarise([column[place] for place in places], confidence, fewest=FEWEST)
        for metric, column in result.values.items()
    }
    return Group(kind=kind, name=name, places=tuple(places), figures=figures)


def summarise(values: Sequence[float | None], confidence: float = 0.95, *, fewest: int = 2) -> Summary:
    """The mean of what is known with its interval, which takes so many values, all of them finite."""
    known = np.array([value for value in values if value is not None and not math.isnan(value)], np.float64)
    if len(known) < fewest or not np.isfinite(known).all():
        return Summary(value=float(known.mean()) if len(known) else math.nan, low=math.nan, high=math.nan)
    found = bootstrap_mean(known, confidence=confidence)
    return Summary(value=found.mean, low=found.low, high=found.high)
