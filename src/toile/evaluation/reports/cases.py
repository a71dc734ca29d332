"""The items that a metric likes least and most."""

import math
from dataclasses import dataclass

from toile.evaluation.protocols.result import EvaluationResult


@dataclass(frozen=True, kw_only=True)
class Case:
    """One item as one metric sees it."""

    place: int
    """Its place among the result's items."""
    value: float
    """What the metric says of it."""


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """The worst and the best items of one metric; none is both."""

    metric: str
    """The metric's short name."""
    worst: tuple[Case, ...]
    """The worst first."""
    best: tuple[Case, ...]
    """The best first."""


def extreme_cases(result: EvaluationResult, metric: str, count: int) -> Extremes:
    """The `count` worst and best items by a metric of pictures; fewer where there are not enough.

    Items of equal value come in the order of their identifiers.
    """
    better = result.metrics[metric].higher_is_better
    known = [
        Case(place=place, value=value)
        for place, value in enumerate(result.values[metric])
        if value is not None and not math.isnan(value)
    ]
    ordered = sorted(known, key=lambda case: (case.value if better else -case.value, case.place))
    worst = ordered[: min(count, (len(ordered) + 1) // 2)]
    best = ordered[len(worst) :][-count:]
    return Extremes(metric=metric, worst=tuple(worst), best=tuple(reversed(best)))
