"""The report as a page with examples: one HTML file, and small pictures beside it."""

import html
from collections.abc import Iterator
from pathlib import Path

from toile.data.doctor.examples import Example, examples_of
from toile.data.doctor.findings import SEVERITIES
from toile.data.doctor.verdict import Group, Report
from toile.errors import ToileError
from toile.files import check_writable, whole_file, write_text

PAGE, PICTURES = "index.html", "examples"
"""The page's file, and the folder of its pictures."""
MARK = '<meta name="generator" content="toile data check">'
"""By this line a folder is known to hold an older page, which may be written over."""
SHOWN = 8
"""So many files of each kind are shown."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f3ee; --ink: #2b2722; --soft: #7c7368; --card: #fff;
  --line: #e4ded4; --fault: #b3261e; --warning: #9a6700; --note: #4a6572; --good: #2e6b3c; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1b19; --ink: #ece7df; --soft: #a39a8f; --card: #292623; --line: #3b3733;
    --fault: #ff8a80; --warning: #f0c04f; --note: #9fb8c4; --good: #8fd19e; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 76rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 Charter, Georgia, serif; }
h1 { font-weight: 500; font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; font-weight: 600; margin: 0; }
h2 code { font-weight: 400; font-size: .85rem; color: var(--soft); margin-left: .5rem; }
p { margin: .35rem 0; max-width: 52rem; }
.soft, small { color: var(--soft); font-size: .88rem; }
.verdict { font-size: 1.2rem; border-left: .3rem solid; padding: .2rem 0 .2rem .9rem; margin: 1.2rem 0; }
.fault { color: var(--fault); } .warning { color: var(--warning); } .note { color: var(--note); }
.good { color: var(--good); }
.counts { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .8rem 0 1.4rem; }
.counts b { font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
a { color: inherit; text-underline-offset: .2em; }
section { background: var(--card); border-radius: .8rem; padding: 1.1rem 1.3rem; margin: 1.2rem 0;
  box-shadow: 0 1px 8px rgb(0 0 0 / .07); }
.row { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: .9rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
.pictures { display: flex; gap: .3rem; }
img { height: 11rem; width: auto; display: block; border-radius: .35rem; background: #fff;
  border: 1px solid var(--line); }
figcaption { font-size: .8rem; line-height: 1.35; padding-top: .3rem; max-width: 17rem;
  overflow-wrap: anywhere; }
ul { margin: .6rem 0 0; padding-left: 1.1rem; } li { overflow-wrap: anywhere; font-size: .92rem; }
"""


def write_page(report: Report, folder: Path) -> Path:
    """Write the report as a page with small pictures of the files that it names.

    Args:
        report: what was found; the dataset has to be where it was.
        folder: where to write `index.html` and its pictures; new, empty, or with an older page in it.

    Returns:
        The page's file.

    Raises:
        ToileError: when the folder holds something else, or cannot be written.
    """
    _check_folder(folder)
    check_writable(folder / PICTURES)
    for old in (folder / PICTURES).glob("*.png"):
        old.unlink()
    shown = {group.kind.code: list(examples_of(report, group, SHOWN)) for group in report.groups}
    for examples in shown.values():
        for example in examples:
            for name, picture in example.pictures:
                with whole_file(folder / PICTURES / name) as beside:
                    picture.save(beside, format="PNG")
    write_text(_html(report, shown), folder / PAGE)
    return folder / PAGE


def _check_folder(folder: Path) -> None:
    """Refuse to mix the page with what somebody else wrote."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ToileError(f"{folder} is a file; give a folder for the page")
    page = folder / PAGE
    if any(folder.iterdir()) and not (
        page.is_file() and MARK in page.read_text(encoding="utf-8", errors="replace")
    ):
        raise ToileError(f"{folder} holds other files; give a new or an empty folder for the page")


def _html(report: Report, shown: dict[str, list[Example]]) -> str:
    state = {"fault": "fault", "warning": "warning"}.get(report.worst or "", "good")
    layout = report.layout if report.recognised else f"unknown layout, nearest is {report.layout}"
    counts = "\n".join(
        f"<span>{html.escape(name)} <b>{count:,}</b></span>" for name, count in report.counts.items()
    )
    groups = [group for severity in SEVERITIES for group in report.of(severity)]
    rows = "\n".join(_row(group) for group in groups)
    sections = "\n".join(_section(group, shown[group.kind.code]) for group in groups)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{MARK}
<title>toile: {html.escape(str(report.path))}</title>
<style>{STYLE}</style>
<h1>{html.escape(str(report.path))}</h1>
<p class="soft">{html.escape(layout)} · {report.pairs:,} items · {report.files:,} files
· examined in {report.seconds:.1f} s</p>
<p class="verdict {state}">{html.escape(report.verdict())}</p>
<div class="counts soft">{counts}</div>
<table>{rows}</table>
{sections}
</html>
"""


def _advice(group: Group) -> str:
    """What to do, with commands set as such."""
    parts = html.escape(group.kind.advice).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _row(group: Group) -> str:
    kind = group.kind
    return (
        f'<tr><td class="{kind.severity}">{kind.severity}</td>'
        f'<td><a href="#{kind.code}">{html.escape(kind.title)}</a></td>'
        f'<td class="number">{group.count:,}</td><td class="soft">{_advice(group)}</td></tr>'
    )


def _section(group: Group, examples: list[Example]) -> str:
    kind, more = group.kind, group.count - len(examples)
    figures = "\n".join(_figure(example) for example in examples if example.pictures)
    lines = "\n".join(f"<li>{_caption(example)}</li>" for example in examples if not example.pictures)
    rest = f'<p class="soft">and {more:,} more</p>' if more else ""
    return f"""<section id="{kind.code}">
<h2><span class="{kind.severity}">{html.escape(kind.title)}</span> × {group.count:,}
<code>{kind.code}</code></h2>
<p class="soft">{_advice(group)}</p>
{f'<div class="row">{figures}</div>' if figures else ""}
{f"<ul>{lines}</ul>" if lines else ""}
{rest}
</section>"""


def _figure(example: Example) -> str:
    pictures = "".join(_pictures(example))
    return (
        f'<figure><div class="pictures">{pictures}</div><figcaption>{_caption(example)}</figcaption></figure>'
    )


def _pictures(example: Example) -> Iterator[str]:
    for name, picture in example.pictures:
        size = f'width="{picture.width}" height="{picture.height}"'
        yield f'<img src="{PICTURES}/{name}" {size} alt="" loading="lazy">'


def _caption(example: Example) -> str:
    finding = example.finding
    beside = f"<br><small>beside {html.escape(', '.join(finding.beside))}</small>" if finding.beside else ""
    detail = f"<br><small>{html.escape(finding.detail)}</small>" if finding.detail else ""
    return html.escape(finding.file) + detail + beside
