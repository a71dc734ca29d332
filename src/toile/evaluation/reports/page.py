"""What the pages of this package share: their look, their head, and folders that appear whole."""

import html
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from toile.errors import ToileError
from toile.evaluation.reports.pictures import Shot
from toile.evaluation.reports.table import Cell, Table
from toile.whole import whole_folder

PAGE = "index.html"
"""The file to open."""
MARK = '<meta name="generator" content="toile report">'
"""By this line a folder is known to hold an older page, which may be written over."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f3ee; --ink: #2b2722; --soft: #6f675c; --card: #fff;
  --line: #e4ded4; --accent: #8c4a2f; --bar: #cdb9a6; --band: #8c4a2f2e; --good: #2e6b3c; --bad: #b3261e;
  --warn: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1b19; --ink: #ece7df; --soft: #a89f94; --card: #292623; --line: #3b3733;
    --accent: #f0a27f; --bar: #6b5b4e; --band: #f0a27f33; --good: #8fd19e; --bad: #ff8a80; --warn: #f0c04f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 78rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 Charter, Georgia, serif; }
h1 { font-weight: 500; font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; font-weight: 500; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1.1rem; font-weight: 600; margin: 0; }
h4 { font-size: .95rem; font-weight: 600; margin: 1.1rem 0 .4rem; }
p { margin: .35rem 0; max-width: 54rem; overflow-wrap: anywhere; }
.soft, small { color: var(--soft); font-size: .88rem; }
.verdict { font-size: 1.1rem; border-left: .3rem solid; padding: .1rem 0 .1rem .9rem; margin: 1.1rem 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
section { background: var(--card); border-radius: .8rem; padding: 1.1rem 1.3rem; margin: 1.1rem 0;
  box-shadow: 0 1px 8px rgb(0 0 0 / .07); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; font-size: .9rem; } tbody th { font-weight: 400; font-size: 1rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.number small { display: block; }
.best { font-weight: 700; } .second { text-decoration: underline; text-underline-offset: .2em; }
.kinds td { font-variant-caps: small-caps; color: var(--soft); padding-top: .9rem; }
.facts td:first-child { width: 15rem; max-width: 40vw; color: var(--soft); padding-right: 1.5rem; }
.facts td { overflow-wrap: anywhere; font-size: .92rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: .8rem 0; }
a { color: inherit; text-underline-offset: .2em; }
.head { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; }
.head .value { font-variant-numeric: tabular-nums; color: var(--accent); }
.metric { display: grid; grid-template-columns: minmax(0, 24rem) minmax(0, 1fr); gap: 0 2rem; }
.cases { display: flex; flex-wrap: wrap; gap: 1rem 1.4rem; }
details { margin: .4rem 0; }
.case { margin: 0; min-width: 0; }
.shots { display: flex; gap: .3rem; align-items: flex-start; }
.shots figure { margin: 0; min-width: 0; }
.shots img { height: 9.5rem; width: auto; max-width: 100%; display: block; border-radius: .3rem;
  background: #fff; border: 1px solid var(--line); object-fit: contain; }
.shots figcaption { font-size: .75rem; line-height: 1.3; color: var(--soft); text-align: center;
  overflow-wrap: anywhere; max-width: 9rem; margin: 0 auto; }
.shots .missing { height: 9.5rem; width: 7rem; border: 1px dashed var(--line); border-radius: .3rem;
  padding: .5rem; font-size: .75rem; color: var(--soft); overflow: hidden; }
.case > figcaption { font-size: .82rem; line-height: 1.35; padding-top: .2rem; overflow-wrap: anywhere;
  max-width: 26rem; }
.plot { width: 100%; max-width: 24rem; height: auto; display: block; }
.wide .plot { min-width: 14rem; max-width: 20rem; }
#cards .shots img { height: 12rem; } #cards .missing { height: 12rem; }
.plot text { font: 11px Charter, Georgia, serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.plot text.mean { fill: var(--accent); font-weight: 600; }
.bar { fill: var(--bar); } .band { fill: var(--band); }
.axis { stroke: var(--line); } .plot line.mean { stroke: var(--accent); stroke-width: 1.5; }
.plot line.mark { stroke: var(--ink); stroke-dasharray: 3 3; }
ul { margin: .5rem 0; padding-left: 1.1rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
summary { cursor: pointer; }
select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .4rem; padding: .25rem .5rem; }
@media (max-width: 46rem) {
  body { padding: 1.3rem .8rem 3rem; } h1 { font-size: 1.5rem; } section { padding: .9rem; }
  .metric { grid-template-columns: minmax(0, 1fr); }
  .case, .shots { width: 100%; } .shots figure { flex: 1 1 0; }
  .shots img, #cards .shots img { height: auto; width: 100%; } .shots .missing { width: 100%; }
}
"""


@contextmanager
def page_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write a page into, which takes the place of `folder` when it is whole.

    Raises:
        ToileError: when the folder holds something that is no older page, or cannot be written.
    """
    check_page_folder(folder)
    try:
        with whole_folder(folder.resolve()) as beside:
            yield beside
    except OSError as error:
        raise ToileError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder"
        ) from error


def check_page_folder(folder: Path) -> None:
    """Refuse to replace what somebody else wrote.

    Raises:
        ToileError: when the folder is a file, or holds something that is no older page.
    """
    if not folder.exists():
        return
    page = folder / PAGE
    if not folder.is_dir():
        raise ToileError(f"{folder} is a file; give a folder for the page")
    if any(folder.iterdir()) and not (
        page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")
    ):
        raise ToileError(f"{folder} holds other files; give a new or an empty folder for the page")


def document(title: str, body: str) -> str:
    """A whole page around a body; nothing in it comes from elsewhere."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{MARK}
<title>{html.escape(title)}</title>
<style>{STYLE}</style>
{body}
</html>
"""


def figures_table(table: Table) -> str:
    """The table of systems and metrics."""
    head = "".join(
        f'<th class="number" title="{html.escape(metric.definition)}">{html.escape(heading)}</th>'
        for metric, heading in zip(table.metrics, table.headings, strict=True)
    )
    rows = "\n".join(
        f"<tr><th>{html.escape(row.name)}{'' if row.conforming else ' †'}</th>"
        f"{''.join(map(_cell, row.cells))}</tr>"
        for row in table.rows
    )
    return (
        f'<div class="wide"><table><thead><tr><th>method</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'</div><p class="soft">{html.escape(table.caption)}</p>'
    )


def _cell(cell: Cell) -> str:
    interval = f"<small>{cell.interval}</small>" if cell.interval else ""
    return f'<td class="number"><span class="{cell.rank}">{cell.text}</span>{interval}</td>'


def shots_row(shots: Sequence[Shot]) -> str:
    """Pictures side by side, each with what it is; a click opens one alone."""
    return f'<div class="shots">{"".join(map(_shot, shots))}</div>'


def _shot(shot: Shot) -> str:
    role = html.escape(shot.role)
    if not shot.file:
        said = f'<div class="missing">{html.escape(shot.reason)}</div>'
        return f"<figure>{said}<figcaption>{role}</figcaption></figure>"
    size = f'width="{shot.width}" height="{shot.height}"'
    image = f'<img src="{shot.file}" {size} alt="{role}" loading="lazy">'
    return f'<figure><a href="{shot.file}">{image}</a><figcaption>{role}</figcaption></figure>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Names and what they stand for, as a table of two columns."""
    body = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(text)}</td></tr>" for name, text in rows
    )
    return f'<div class="wide"><table class="facts">{body}</table></div>'
