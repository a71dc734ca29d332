"""The table that papers print: systems as rows, metrics as columns, the best and the second marked.

It is made once here, and written by `markdown`, `latex` and the pages.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from toile.evaluation.protocols.result import EvaluationResult, MetricDescription, Summary

Rank = Literal["best", "second", ""]
ARROWS = {True: "↑", False: "↓"}
"""By whether more is better."""
ORACLES = ("oracle", "true-box")
"""What the names of systems contain that know what no method could (`toile.evaluation.protocols.systems`)."""
MOST_DECIMALS = 5


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of one system."""

    figure: Summary
    """Its value and interval."""
    decimals: int
    """How many are printed, the same in the whole column."""
    rank: Rank = ""
    """Whether it is the best or the second of its column; oracles are neither."""

    @property
    def text(self) -> str:
        """The value as it is printed."""
        return number(self.figure.value, self.decimals)

    @property
    def interval(self) -> str:
        """Both ends in brackets; empty without an interval."""
        return interval_text(self.figure, self.decimals)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system."""

    system: str
    """What it is called."""
    oracle: bool
    """Whether it knows what no method could."""
    conforming: bool
    """Whether its result is the benchmark's."""
    cells: tuple[Cell, ...]
    """One a metric."""

    @property
    def name(self) -> str:
        """The system, labelled where it is an oracle."""
        labelled = "oracle" in self.system.lower() or not self.oracle
        return self.system if labelled else f"{self.system} (oracle)"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Systems measured under one protocol."""

    title: str
    """What is measured."""
    protocol: str
    """The protocol's name and version."""
    protocol_hash: str
    """The hash that all rows share."""
    count: int
    """How many pictures of each system were measured."""
    confidence: float
    """Of the intervals."""
    metrics: tuple[MetricDescription, ...]
    """The columns."""
    rows: tuple[Row, ...]
    """The systems, in the order they were given."""

    @property
    def headings(self) -> tuple[str, ...]:
        """The metrics' names, each with an arrow towards the better."""
        return tuple(f"{metric.name} {ARROWS[metric.higher_is_better]}" for metric in self.metrics)

    @property
    def caption(self) -> str:
        """What stands below the table: protocol, pictures, and how to read it."""
        said = [f"{self.protocol} ({self.protocol_hash[:8]}), {self.count:,} pictures a system."]
        if any(cell.interval for row in self.rows for cell in row.cells):
            said.append(f"In brackets: {self.confidence:.0%} bootstrap intervals.")
        if any(cell.rank for row in self.rows for cell in row.cells):
            said.append("Bold is the best, underlined the second.")
        if any(row.oracle for row in self.rows):
            said.append("Oracles know what no method could, and are not ranked.")
        if not all(row.conforming for row in self.rows):
            said.append("† Not the benchmark: something differs from the protocol.")
        return " ".join(said)


def make_tables(results: Sequence[EvaluationResult]) -> tuple[Table, ...]:
    """One table for each protocol among the results, in the order they come.

    Figures of different protocols never share a table; nor do those of different numbers of pictures.
    """
    groups: dict[tuple[str, int, tuple[str, ...]], list[EvaluationResult]] = {}
    for result in results:
        key = (result.protocol_hash, result.count, tuple(result.metrics))
        groups.setdefault(key, []).append(result)
    return tuple(_table(group) for group in groups.values())


def is_oracle(result: EvaluationResult) -> bool:
    """Whether the predictions' maker knows what no method could, by its name or its settings."""
    names = f"{result.system} {result.settings.get('system', '')}".lower()
    return any(mark in names for mark in ORACLES)


def figure_of(result: EvaluationResult, metric: str) -> Summary:
    """A metric's figure, whether it is of pictures or of sets."""
    return result.sets[metric] if result.metrics[metric].of_sets else result.summary[metric]


def confidence_of(result: EvaluationResult) -> float:
    """The confidence of its intervals."""
    return float(result.protocol.get("statistics", {}).get("confidence", 0.95))


def protocol_label(result: EvaluationResult) -> str:
    """The protocol's name and version."""
    return f"{result.protocol.get('name', 'protocol')} v{result.protocol.get('version', 1)}"


def _table(results: Sequence[EvaluationResult]) -> Table:
    first = results[0]
    oracles = [is_oracle(result) for result in results]
    columns = [_column(results, name, oracles) for name in first.metrics]
    rows = tuple(
        Row(
            system=result.system,
            oracle=oracle,
            conforming=result.conforming,
            cells=tuple(column[place] for column in columns),
        )
        for place, (result, oracle) in enumerate(zip(results, oracles, strict=True))
    )
    return Table(
        title=str(first.protocol.get("title", first.task)),
        protocol=protocol_label(first),
        protocol_hash=first.protocol_hash,
        count=first.count,
        confidence=confidence_of(first),
        metrics=tuple(first.metrics.values()),
        rows=rows,
    )


def _column(results: Sequence[EvaluationResult], metric: str, oracles: Sequence[bool]) -> list[Cell]:
    figures = [figure_of(result, metric) for result in results]
    description = results[0].metrics[metric]
    decimals = decimals_for([figure.value for figure in figures], description)
    cells = [Cell(figure=figure, decimals=decimals) for figure in figures]
    ranked = [
        cell
        for cell, oracle in zip(cells, oracles, strict=True)
        if not oracle and not math.isnan(cell.figure.value)
    ]
    ranks = _ranks(ranked, description.higher_is_better)
    return [
        cell if oracle else replace(cell, rank=ranks.get(cell.text, ""))
        for cell, oracle in zip(cells, oracles, strict=True)
    ]


def _ranks(cells: Sequence[Cell], higher_is_better: bool) -> dict[str, Rank]:
    """The ranks of printed figures: alike for what is printed alike, and none where all is."""
    values = {cell.text: cell.figure.value for cell in cells}
    order = sorted(values, key=lambda text: values[text], reverse=higher_is_better)
    if len(order) < 2:
        return {}
    ranks: dict[str, Rank] = {order[0]: "best"}
    if sum(cell.text == order[0] for cell in cells) == 1:
        ranks[order[1]] = "second"
    return ranks


def decimals_for(values: Sequence[float], metric: MetricDescription) -> int:
    """How many decimals a column is printed with.

    Ours: three for what lies within [-1, 1], as papers print SSIM and LPIPS, and otherwise four significant
    digits of the largest, at least one decimal.
    """
    if metric.low >= -1 and metric.high <= 1:
        return 3
    largest = max((abs(value) for value in values if math.isfinite(value)), default=1.0)
    if largest == 0:
        return 3
    return min(max(3 - math.floor(math.log10(largest)), 1), MOST_DECIMALS)


def number(value: float, decimals: int) -> str:
    """A number with so many decimals, a true minus, "∞" and "–" for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, decimals: int) -> str:
    """A difference: with its sign, also where it is positive."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def interval_text(figure: Summary, decimals: int) -> str:
    """Both ends in brackets; empty without an interval."""
    if math.isnan(figure.low) or math.isnan(figure.high):
        return ""
    return f"[{number(figure.low, decimals)}, {number(figure.high, decimals)}]"
