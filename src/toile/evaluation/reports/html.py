"""The report of one result: a folder with a page to open, and small pictures beside it."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from toile.evaluation.protocols.result import EvaluationResult, MetricDescription
from toile.evaluation.protocols.truths import Truth
from toile.evaluation.reports.breakdown import FEWEST, Group, breakdown
from toile.evaluation.reports.cases import Case, extreme_cases
from toile.evaluation.reports.fields import flattened, spoken
from toile.evaluation.reports.page import PAGE, document, facts, figures_table, page_folder, shots_row
from toile.evaluation.reports.pictures import Shot, contender, write_shots
from toile.evaluation.reports.plots import histogram
from toile.evaluation.reports.table import (
    ARROWS,
    decimals_for,
    interval_text,
    make_tables,
    number,
    protocol_label,
)

CASES = 6
"""So many worst and so many best items are shown of each metric."""
Shots = Mapping[int, tuple[Shot, ...]]
"""The pictures of the items that are shown, by place."""


def write_report(
    result: EvaluationResult,
    folder: Path,
    *,
    predictions: Path,
    truths: Mapping[str, Truth] | None = None,
    cases: int = CASES,
) -> Path:
    """Write a page about a result that opens without a server.

    Args:
        result: what was measured.
        folder: where to write `index.html` and its pictures: new, empty, or with an older page in it.
        predictions: the folder of predictions; one that has changed since is not shown.
        truths: by identifier, what they were compared with, for inputs and targets (`truths.truths_of`).
        cases: how many worst and how many best items to show of each metric.

    Returns:
        The page's file.

    Raises:
        ToileError: when the folder holds something else, or cannot be written.
    """
    truths = truths or {}
    shown = {name: extreme_cases(result, name, cases) for name in result.values}
    places = sorted({case.place for of_one in shown.values() for case in (*of_one.worst, *of_one.best)})
    with page_folder(folder) as beside:
        whose = [contender(result, predictions, "prediction")]
        shots = {
            place: write_shots(
                result.items[place].identifier,
                f"{place:06d}",
                whose,
                truths.get(result.items[place].identifier),
                beside,
            )
            for place in places
        }
        (beside / PAGE).write_text(_page(result, shots, cases), encoding="utf-8")
    return folder / PAGE


def _page(result: EvaluationResult, shots: Shots, cases: int) -> str:
    groups = breakdown(result)
    names = [name for name in result.metrics if name in result.values]
    links = "".join(
        f'<a href="#{html.escape(name)}">{html.escape(result.metrics[name].name)}</a>' for name in names
    )
    body = [
        _head(result),
        f"<section>{figures_table(make_tables([result])[0])}</section>",
        f"<nav>{links}<a href='#breakdown'>breakdown</a><a href='#protocol'>protocol</a></nav>",
        *([_breakdown(result, groups)] if groups else []),
        "<h2>What each metric sees</h2>",
        *(_metric(result, name, shots, cases) for name in names),
        _protocol(result),
    ]
    return document(f"{result.system}: {protocol_label(result)}", "\n".join(body))


def _head(result: EvaluationResult) -> str:
    title = html.escape(str(result.protocol.get("title", "")))
    state, verdict = (
        ("good", "Measured as the protocol says.")
        if result.conforming
        else ("warn", "Not the benchmark: something differs from the protocol.")
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in result.notes)
    return f"""<h1>{html.escape(result.system)}</h1>
<p>{title}</p>
<p class="soft">{html.escape(protocol_label(result))} · task {html.escape(result.task)} ·
{result.count:,} pictures · {html.escape(result.predictions)} · toile {html.escape(result.toile)}</p>
<p class="verdict {state}">{verdict}</p>
{f"<ul>{notes}</ul>" if notes else ""}"""


def _decimals(metric: MetricDescription, values: Sequence[float | None]) -> int:
    return decimals_for([value for value in values if value is not None], metric)


def _breakdown(result: EvaluationResult, groups: Sequence[Group]) -> str:
    heads = "".join(
        f'<th class="number">{html.escape(result.metrics[name].name)} '
        f"{ARROWS[result.metrics[name].higher_is_better]}</th>"
        for name in result.values
    )
    rows, kind = [], ""
    for group in groups:
        if group.kind != kind:
            kind = group.kind
            rows.append(f'<tr class="kinds"><td colspan="{len(result.values) + 2}">{kind}</td></tr>')
        rows.append(_group(result, group))
    return f"""<h2 id="breakdown">By category and difficulty</h2>
<section><div class="wide"><table><thead><tr><th></th><th class="number">pictures</th>{heads}</tr></thead>
<tbody>{"".join(rows)}</tbody></table></div>
<p class="soft">Coloured where the mean over all pictures lies outside of the group's interval:
<span class="good">better</span>, <span class="bad">worse</span>.
A picture may have several labels; groups of fewer than {FEWEST} have no interval.</p></section>"""


def _group(result: EvaluationResult, group: Group) -> str:
    cells = []
    for name, metric in result.metrics.items():
        if name not in result.values:
            continue
        figure, overall = group.figures[name], result.summary[name].value
        state = ""
        if group.stands_out(name, overall):
            state = "good" if (figure.value > overall) == metric.higher_is_better else "bad"
        decimals = _decimals(metric, result.values[name])
        interval = f"<small>{interval_text(figure, decimals)}</small>"
        cells.append(f'<td class="number {state}">{number(figure.value, decimals)}{interval}</td>')
    head = f'<th>{html.escape(group.name)}</th><td class="number">{len(group.places):,}</td>'
    return f"<tr>{head}{''.join(cells)}</tr>"


def _metric(result: EvaluationResult, name: str, shots: Shots, cases: int) -> str:
    metric, values = result.metrics[name], result.values[name]
    decimals = _decimals(metric, values)
    figure = result.summary[name]
    heading = f"{html.escape(metric.name)} {ARROWS[metric.higher_is_better]}"
    found = extreme_cases(result, name, cases)
    plot = histogram(values, figure=figure, decimals=decimals, label=f"distribution of {metric.name}")
    return f"""<section id="{html.escape(name)}"><div class="head"><h3>{heading}</h3>
<span class="value">{number(figure.value, decimals)} {interval_text(figure, decimals)}</span></div>
<div class="metric"><div>{plot}</div><p class="soft">{html.escape(metric.definition)}</p></div>
{_cases("Worst", result, found.worst, shots, decimals)}
{_cases("Best", result, found.best, shots, decimals)}</section>"""


def _cases(title: str, result: EvaluationResult, cases: Sequence[Case], shots: Shots, decimals: int) -> str:
    if not cases:
        return ""
    figures = "\n".join(_case(result, case, shots[case.place], decimals) for case in cases)
    return f'<h4>{title}</h4><div class="cases">{figures}</div>'


def _case(result: EvaluationResult, case: Case, shots: Sequence[Shot], decimals: int) -> str:
    item = result.items[case.place]
    said = " · ".join((item.category, *item.labels))
    return (
        f'<figure class="case">{shots_row(shots)}<figcaption><b>{number(case.value, decimals)}</b> '
        f"{html.escape(item.identifier)} <small>{html.escape(said)}</small></figcaption></figure>"
    )


def _protocol(result: EvaluationResult) -> str:
    own = {name: value for name, value in result.protocol.items() if name not in ("silences", "title")}
    rows = [(name, spoken(value)) for name, value in flattened(own).items() if value not in (None, "")]
    weights = [
        (name, f"{of.get('source', '')}  sha256 {of.get('sha256', '')}")
        for name, of in result.weights.items()
    ]
    silences = "".join(f"<li>{html.escape(line)}</li>" for line in result.protocol.get("silences", ()))
    settings = [
        (name, spoken(value)) for name, value in flattened(json.loads(json.dumps(result.settings))).items()
    ]
    return f"""<h2 id="protocol">How it was measured</h2>
<section><h3>Protocol</h3>{facts([("hash", result.protocol_hash)])}
<details><summary class="soft">every field</summary>{facts(rows)}</details>
{f"<h4>What the source leaves open</h4><ul>{silences}</ul>" if silences else ""}</section>
<section><h3>Versions</h3>{facts([("toile", result.toile), *result.versions.items()])}</section>
{f"<section><h3>Weights of the networks that measured</h3>{facts(weights)}</section>" if weights else ""}
{f"<section><h3>How the predictions were made</h3>{facts(settings)}</section>" if settings else ""}"""
