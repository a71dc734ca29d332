"""How the page about a catalogue looks: one HTML file that asks for nothing from elsewhere."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toile.catalogue.error_kinds import ErrorKinds, Kind

STYLE = """
:root { color-scheme: light dark; --ground: #f6f3ee; --ink: #2b2722; --soft: #6f675c; --card: #fff;
  --line: #e4ded4; --good: #2e6b3c; --bad: #b3261e; --empty: #efeae2; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1b19; --ink: #ece7df; --soft: #a89f94; --card: #292623; --line: #3b3733;
    --good: #8fd19e; --bad: #ff8a80; --empty: #35312d; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 78rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 Charter, Georgia, serif; }
h1 { font-weight: 500; font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-weight: 500; font-size: 1.35rem; margin: 2.4rem 0 .4rem; }
p { margin: .35rem 0; max-width: 54rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .88rem; }
section { background: var(--card); border-radius: .8rem; padding: 1.1rem 1.3rem; margin: 1.1rem 0;
  box-shadow: 0 1px 8px rgb(0 0 0 / .07); }
.totals { display: flex; flex-wrap: wrap; gap: .6rem 2.6rem; margin: 0; }
.totals div { display: flex; flex-direction: column-reverse; }
.totals dd { margin: 0; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.totals dt { color: var(--soft); font-size: .88rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.share { display: flex; height: .5rem; border-radius: .25rem; overflow: hidden; margin-top: 1rem;
  background: var(--empty); }
.share i { display: block; background: var(--good); } .share i.failed { background: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.1rem; }
.cards.wide { grid-template-columns: repeat(auto-fill, minmax(32rem, 1fr)); }
.cards.single { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.cards section { margin: 0; padding: .9rem; display: flex; flex-direction: column; }
.shots { display: flex; gap: .6rem; flex: 1; }
figure { margin: 0; flex: 1 1 0; min-width: 0; display: flex; flex-direction: column; }
figure > div { flex: 1; display: flex; align-items: center; justify-content: center; min-height: 8rem;
  background: var(--empty); border: 1px solid var(--line); border-radius: .4rem; overflow: hidden; }
figure p { padding: .8rem; text-align: center; }
img { width: 100%; height: auto; max-height: 20rem; object-fit: contain; display: block; }
figcaption { text-align: center; color: var(--soft); font-size: .85rem; padding-top: .3rem; }
.cards h3 { font-size: 1rem; font-weight: 600; margin: .5rem 0 0; overflow-wrap: anywhere; }
.cards .soft { margin: 0; }
details { border-top: 1px solid var(--line); }
details:first-of-type { border-top: 0; }
summary { cursor: pointer; display: flex; gap: 1rem; padding: .6rem 0; overflow-wrap: anywhere; }
summary b { flex: 0 0 3.5rem; text-align: right; font-variant-numeric: tabular-nums; color: var(--bad); }
summary::before { content: "▸"; color: var(--soft); } details[open] > summary::before { content: "▾"; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1rem; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0;
  border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 400; color: var(--soft); font-size: .85rem; border-top: 0; overflow-wrap: normal; }
td:first-child, th:first-child { text-align: right; width: 5.5rem; font-variant-numeric: tabular-nums; }
td:nth-child(2) { width: 30%; }
.named { max-height: 28rem; overflow-y: auto; }
code { font-size: .9em; }
@media (max-width: 46rem) {
  body { padding: 1.3rem .8rem 3rem; } h1 { font-size: 1.5rem; } section { padding: .9rem; }
  .cards, .cards.wide { grid-template-columns: minmax(0, 1fr); }
  .cards.single { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  summary b { flex-basis: 2.5rem; } td:first-child, th:first-child { width: 4.4rem; }
}
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: show it."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture of a card."""

    role: str
    """What it is."""
    data: str = ""
    """The picture, a JPEG in base64; empty where there is none to show."""
    width: int = 0
    """In pixels."""
    height: int = 0
    """In pixels."""
    reason: str = ""
    """Why there is none."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One item that was done."""

    name: str
    """What it is called."""
    note: str
    """How it was made."""
    shots: Sequence[Shot]
    """Its inputs, then its result."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The figures at the head of the page."""

    title: str
    """Of the page."""
    settings: str
    """How it was made, in a line."""
    done: int
    """Items whose picture is there."""
    failed: int
    """Items without one."""
    elapsed: float | None
    """Seconds that the run took; None when nobody knows."""
    seconds: float
    """That the model spent on the items that were done."""


def page_html(overview: Overview, cards: Sequence[Card], failures: ErrorKinds) -> str:
    """The whole page."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{html.escape(overview.title)}</title>
<style>{STYLE}</style>
<h1>{html.escape(overview.title)}</h1>
{f'<p class="soft">{html.escape(overview.settings)}</p>' if overview.settings else ""}
{_totals(overview)}
{_sample(cards, overview.done)}
{_failures(failures)}
</html>
"""


def duration(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    hours = seconds // 3600
    if hours < 48:
        return f"{hours:.0f} h {seconds % 3600 // 60:.0f} min"
    return f"{hours // 24:.0f} d {hours % 24:.0f} h"


def _totals(overview: Overview) -> str:
    count = overview.done + overview.failed
    figures = [("done", f"{overview.done:,}", "good"), ("failed", f"{overview.failed:,}", "bad")]
    if overview.elapsed is not None:
        rate = overview.done * 3600 / max(overview.elapsed, 1e-3)
        figures += [("time", duration(overview.elapsed), ""), ("pictures an hour", f"{rate:,.0f}", "")]
    if overview.done:
        figures.append(("model time a picture", duration(overview.seconds / overview.done), ""))
    shown = "".join(
        f'<div><dt>{name}</dt><dd class="{state if text != "0" else ""}">{text}</dd></div>'
        for name, text, state in figures
    )
    share = 100 * overview.done / max(count, 1)
    failed = f'<i class="failed" style="width: {100 - share:.2f}%"></i>' if overview.failed else ""
    bar = f'<div class="share"><i style="width: {share:.2f}%"></i>{failed}</div>'
    return f'<section><dl class="totals">{shown}</dl>{bar}</section>'


def _sample(cards: Sequence[Card], done: int) -> str:
    if not cards:
        return '<p class="soft">There is no picture to show.</p>'
    most = max(len(card.shots) for card in cards)
    kind = {1: "single", 2: ""}.get(most, "wide")
    what = "All results" if len(cards) == done else f"{len(cards)} of {done:,} results, drawn at random"
    body = "\n".join(map(_card, cards))
    return f'<h2 id="sample">{what}</h2>\n<div class="cards {kind}">\n{body}\n</div>'


def _card(card: Card) -> str:
    shots = "".join(map(_shot, card.shots))
    note = f'<p class="soft">{html.escape(card.note)}</p>' if card.note else ""
    return f'<section><div class="shots">{shots}</div><h3>{html.escape(card.name)}</h3>{note}</section>'


def _shot(shot: Shot) -> str:
    role = html.escape(shot.role)
    size = f'width="{shot.width}" height="{shot.height}"'
    shown = (
        f'<img src="data:image/jpeg;base64,{shot.data}" {size} alt="{role}">'
        if shot.data
        else f'<p class="soft">{html.escape(shot.reason)}</p>'
    )
    return f"<figure><div>{shown}</div><figcaption>{role}</figcaption></figure>"


def _failures(failures: ErrorKinds) -> str:
    count = len(failures)
    if not count:
        return '<h2 id="failures">No failures</h2>\n<p class="soft">Every item was done.</p>'
    kinds = "\n".join(_kind(kind) for kind in failures)
    more = count - failures.kept
    rest = (
        f'<p class="soft">{more:,} more failures are not named here; all of them are in '
        '<code>manifest.jsonl</code>, as lines with <code>"state": "failed"</code>.</p>'
        if more
        else ""
    )
    what = "1 failure" if count == 1 else f"{count:,} failures"
    return f'<h2 id="failures">{what}</h2>\n<section>\n{kinds}\n</section>{rest}'


def _said(row: Mapping[str, Any]) -> str:
    """A failure's error; the item's name stands beside it."""
    return str(row.get("error") or "").removeprefix(f"{row['name']}: ")


def _kind(kind: Kind) -> str:
    rows = "\n".join(
        f"<tr><td>{int(row['number']):,}</td><td>{html.escape(str(row['name']))}</td>"
        f"<td>{html.escape(_said(row))}</td></tr>"
        for row in kind.rows
    )
    more = kind.count - len(kind.rows)
    rest = f'<p class="soft">and {more:,} more, in <code>manifest.jsonl</code></p>' if more else ""
    return f"""<details><summary><b>{kind.count:,}</b><span>{html.escape(kind.text)}</span></summary>
<div class="named"><table><thead><tr><th>number</th><th>item</th><th>error</th></tr></thead><tbody>
{rows}</tbody></table>{rest}</div></details>"""
