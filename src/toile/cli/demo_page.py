"""The page that `toile demo` writes: rows of pictures, and nothing from elsewhere."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = """
:root { color-scheme: light dark; --ground: #f6f3ee; --ink: #2b2722; --soft: #857c70; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1b19; --ink: #ece7df; --soft: #9d948a; --card: #292623; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.5rem 4rem; max-width: 62rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.6 Charter, Georgia, serif; }
h1 { font-weight: 500; font-size: 2.2rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-weight: 500; font-size: 1.5rem; margin: 3rem 0 .4rem; }
p { max-width: 44rem; margin: .4rem 0; }
.soft { color: var(--soft); font-size: .9rem; }
section { background: var(--card); border-radius: .8rem; padding: 1.2rem; margin: 1.6rem 0;
  box-shadow: 0 1px 8px rgb(0 0 0 / .07); }
.row { display: grid; grid-template-columns: repeat(4, 1fr); gap: .8rem; margin-top: .6rem; }
figure { margin: 0; }
img { width: 100%; height: auto; display: block; border-radius: .4rem; background: #fff; }
figcaption { text-align: center; color: var(--soft); font-size: .85rem; padding-top: .3rem; }
code { font-size: .9em; }
@media (max-width: 34rem) { .row { grid-template-columns: repeat(2, 1fr); } }
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """Pictures side by side, and what they show."""

    title: str
    """What is worn."""
    note: str
    """Which dolls these are."""
    pictures: Sequence[tuple[str, str]]
    """From left to right: the file beside the page, and what is under it."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that the demo shows."""

    heading: str
    """What was done."""
    text: str
    """By what, and from what."""
    command: str
    """How to do it with one's own photo."""
    rows: Sequence[Row]
    """The results."""


def write_html(parts: Sequence[Part], *, size: tuple[int, int], settings: str) -> str:
    """Write the page as HTML; its pictures lie beside it.

    Args:
        parts: in their order.
        size: (height, width) of the pictures.
        settings: how they were drawn, in a line.
    """
    content = "\n".join(_part(part, size) for part in parts)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>toile: clothes in pictures</title>
<style>{STYLE}</style>
<h1>Clothes in pictures that no training has seen</h1>
<p>The photos are Paper Dolls, drawn by a program, so the truth is known exactly.</p>
<p class="soft">{html.escape(settings)}</p>
{content}
</html>
"""


def _part(part: Part, size: tuple[int, int]) -> str:
    rows = "\n".join(_row(row, size) for row in part.rows)
    return f"""<h2>{html.escape(part.heading)}</h2>
<p>{html.escape(part.text)}</p>
<p class="soft">Your own photo: <code>{html.escape(part.command)}</code></p>
{rows}"""


def _row(row: Row, size: tuple[int, int]) -> str:
    height, width = size
    figures = "\n".join(
        f'<figure><img src="{file}" width="{width}" height="{height}" alt="{html.escape(caption)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for file, caption in row.pictures
    )
    return f"""<section>
<p>{html.escape(row.title)}</p>
<p class="soft">{html.escape(row.note)}</p>
<div class="row">
{figures}
</div>
</section>"""
