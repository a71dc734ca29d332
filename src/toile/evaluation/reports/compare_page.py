"""The page of a comparison: figures, differences, and the pictures of all systems side by side, sorted."""

import html
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from toile.errors import ToileError
from toile.evaluation.protocols.result import EvaluationResult, MetricDescription
from toile.evaluation.protocols.truths import Truth
from toile.evaluation.reports.compare import (
    Comparison,
    FieldDifference,
    difference_text,
    paired_values,
    protocol_differences,
)
from toile.evaluation.reports.differences import EXPLANATION, decimals_of
from toile.evaluation.reports.page import PAGE, document, figures_table, page_folder, shots_row
from toile.evaluation.reports.pictures import Contender, Shot, contender, write_shots
from toile.evaluation.reports.plots import histogram
from toile.evaluation.reports.table import ARROWS, make_tables

SHOWN = 24
"""So many items are shown for each metric: those that differ most, half of them either way."""
Gains = dict[str, float]
"""By `METRIC|NUMBER OF COMPARISON`: how much better the first system is on one item, as text for the page."""


def write_comparison(
    comparisons: Sequence[Comparison],
    folder: Path,
    *,
    predictions: Sequence[Path],
    truths: Mapping[str, Truth] | None = None,
    shown: int = SHOWN,
) -> Path:
    """Write a page on which systems stand side by side; it opens without a server.

    Args:
        comparisons: all with the same first result.
        folder: where to write: new, empty, or with an older page in it.
        predictions: the folders of predictions: the first system's, then the others' in order.
        truths: by identifier, what they were compared with, for inputs and targets.
        shown: how many items to show for each metric and comparison.

    Returns:
        The page's file.

    Raises:
        ToileError: when the folder holds something else, or cannot be written, or folders are missing.
    """
    results = [comparisons[0].first, *(comparison.second for comparison in comparisons)]
    if len(predictions) != len(results):
        raise ToileError(
            f"{len(results)} results need as many folders of predictions, not {len(predictions)}"
        )
    gains = _gains(comparisons)
    picked = _picked(gains, shown)
    whose = [contender(result, path) for result, path in zip(results, predictions, strict=True)]
    with page_folder(folder) as beside:
        cards = [
            _card(identifier, f"{place:06d}", gains[identifier], whose, truths or {}, results, beside)
            for place, identifier in enumerate(picked)
        ]
        (beside / PAGE).write_text(_page(comparisons, results, cards), encoding="utf-8")
    return folder / PAGE


def _gains(comparisons: Sequence[Comparison]) -> dict[str, Gains]:
    """For every item that both systems have: how much better the first is, by metric and comparison."""
    found: dict[str, Gains] = {}
    for number_, comparison in enumerate(comparisons):
        for one, other in comparison.pairs:
            of_item = found.setdefault(comparison.first.items[one].identifier, {})
            for name, difference in comparison.differences.items():
                both = _values(comparison, name, one, other)
                if both is not None:
                    gap = both[0] - both[1]
                    of_item[f"{name}|{number_}"] = gap if difference.higher_is_better else -gap
    return found


def _values(comparison: Comparison, metric: str, one: int, other: int) -> tuple[float, float] | None:
    if metric not in comparison.first.values or metric not in comparison.second.values:
        return None
    both = paired_values(comparison.first, comparison.second, metric, [(one, other)])
    return (float(both[0, 0]), float(both[0, 1])) if len(both) else None


def _picked(gains: Mapping[str, Gains], shown: int) -> list[str]:
    """The items that differ most by any metric, sorted."""
    keys = sorted({key for of_item in gains.values() for key in of_item})
    picked = set()
    for key in keys:
        ordered = sorted((of_item[key], name) for name, of_item in gains.items() if key in of_item)
        picked |= {name for _, name in (*ordered[: shown // 2], *ordered[-((shown + 1) // 2) :])}
    return sorted(picked)


def _card(
    identifier: str,
    stem: str,
    gains: Gains,
    whose: Sequence[Contender],
    truths: Mapping[str, Truth],
    results: Sequence[EvaluationResult],
    page: Path,
) -> str:
    shots: Sequence[Shot] = write_shots(identifier, stem, whose, truths.get(identifier), page)
    values = {
        name: [_value(result, name, identifier) for result in results]
        for name in results[0].metrics
        if name in results[0].values
    }
    item = next(one.items[identifier] for one in whose if identifier in one.items)
    said = html.escape(" · ".join((item.category, *item.labels)))
    return f"""<figure class="case" data-gains="{html.escape(json.dumps(gains))}"
data-values="{html.escape(json.dumps(values))}">{shots_row(shots)}
<figcaption><b class="gain"></b> <span class="values"></span> {html.escape(identifier)}
<small>{said}</small></figcaption></figure>"""


def _value(result: EvaluationResult, metric: str, identifier: str) -> float | None:
    place = next((n for n, item in enumerate(result.items) if item.identifier == identifier), None)
    value = None if place is None or metric not in result.values else result.values[metric][place]
    return value if value is not None and math.isfinite(value) else None


def _page(
    comparisons: Sequence[Comparison], results: Sequence[EvaluationResult], cards: Sequence[str]
) -> str:
    first = results[0]
    others = ", ".join(result.system for result in results[1:])
    remarks = dict.fromkeys(remark for comparison in comparisons for remark in comparison.remarks)
    notes = "".join(f'<li class="warn">{html.escape(remark)}</li>' for remark in remarks)
    tables = "".join(
        f"<section><h3>{html.escape(table.title)}</h3>{figures_table(table)}</section>"
        for table in make_tables(results)
    )
    body = f"""<h1>{html.escape(first.system)} beside {html.escape(others)}</h1>
{f"<ul>{notes}</ul>" if notes else ""}
{tables}
{"".join(map(_fields, comparisons))}
<h2>Differences</h2>
{"".join(map(_differences, comparisons))}
<p class="soft">{EXPLANATION}</p>
<h2>Picture by picture</h2>
{_chooser(comparisons)}
<section><div class="cases" id="cards">{"".join(cards)}</div></section>
{_script()}"""
    return document(f"{first.system} beside {others}", body)


def _fields(comparison: Comparison) -> str:
    differing = protocol_differences(comparison.first, comparison.second)
    if not differing:
        return ""
    names = [html.escape(result.system) for result in (comparison.first, comparison.second)]
    rows = "".join(map(_field, differing))
    return f"""<section><h3>Not measured alike</h3><div class="wide"><table>
<thead><tr><th>what differs</th><th>{names[0]}</th><th>{names[1]}</th></tr></thead>
<tbody>{rows}</tbody></table></div></section>"""


def _field(one: FieldDifference) -> str:
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in (one.first, one.second))
    return f"<tr><td><code>{html.escape(one.field)}</code></td>{cells}</tr>"


def _differences(comparison: Comparison) -> str:
    names = [html.escape(result.system) for result in (comparison.first, comparison.second)]
    rows = "".join(_difference(comparison, name) for name in comparison.differences)
    return f"""<section><h3>{names[0]} − {names[1]}</h3>
<div class="wide"><table><thead><tr><th>metric</th><th class="number">difference</th>
<th class="number">p</th><th>picture by picture</th></tr></thead>
<tbody>{rows}</tbody></table></div></section>"""


def _difference(comparison: Comparison, name: str) -> str:
    difference, decimals = comparison.differences[name], decimals_of(comparison, name)
    value, interval, p = difference_text(difference, decimals)
    state = {True: "best good", False: "second bad", None: ""}[difference.better]
    metric: MetricDescription = comparison.first.metrics[name]
    return f"""<tr><th>{html.escape(metric.name)} {ARROWS[metric.higher_is_better]}</th>
<td class="number"><span class="{state}">{value}</span><small>{interval}</small></td>
<td class="number">{html.escape(p)}</td><td>{_plot(comparison, name, decimals)}</td></tr>"""


def _plot(comparison: Comparison, name: str, decimals: int) -> str:
    if name not in comparison.first.values or name not in comparison.second.values:
        return '<span class="soft">a figure of whole sets</span>'
    both = paired_values(comparison.first, comparison.second, name, comparison.pairs)
    gaps: np.ndarray = both[:, 0] - both[:, 1]
    label = f"differences of {comparison.first.metrics[name].name}"
    figure = comparison.differences[name].figure
    return histogram(gaps.tolist(), figure=figure, decimals=decimals, label=label, mark=0.0)


def _chooser(comparisons: Sequence[Comparison]) -> str:
    """What the pictures are sorted by."""
    first = comparisons[0].first
    options = "".join(
        f'<option value="{html.escape(name)}|{place}" data-metric="{html.escape(name)}" data-place="{place}" '
        f'data-decimals="{decimals_of(comparison, name)}">{html.escape(first.metrics[name].name)}, against '
        f"{html.escape(comparison.second.system)}</option>"
        for place, comparison in enumerate(comparisons)
        for name in comparison.differences
        if name in comparison.first.values and name in comparison.second.values
    )
    return f"""<p><label>Sorted by <select id="key">{options}</select></label>
<label><select id="order"><option value="1">where {html.escape(first.system)} loses most first</option>
<option value="-1">where {html.escape(first.system)} gains most first</option></select></label></p>
<p class="soft">The pictures that differ most, by any metric.
Positive: {html.escape(first.system)} is better.</p>"""


def _script() -> str:
    script = files("toile.evaluation.reports").joinpath("compare_page.js").read_text(encoding="utf-8")
    return f"<script>\n{script}</script>"
