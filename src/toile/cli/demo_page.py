"""The page that `toile demo` writes: one row of pictures for each doll, and nothing from elsewhere."""

import html
from collections.abc import Sequence

from toile.dolls import Doll

KINDS = ("photo", "mask", "restored", "truth")
"""The pictures of a row, from left to right."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f3ee; --ink: #2b2722; --soft: #857c70; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #1d1b19; --ink: #ece7df; --soft: #9d948a; --card: #292623; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 3rem 1.5rem 4rem; max-width: 62rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.6 Charter, Georgia, serif; }
h1 { font-weight: 500; font-size: 2.2rem; line-height: 1.2; margin: 0 0 .6rem; }
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


def file_name(doll: Doll, kind: str) -> str:
    """The PNG of one picture of a doll."""
    return f"{doll.seed}-{doll.category}-{kind}.png"


def write_html(dolls: Sequence[Doll], *, model: str, steps: int, guidance: float, seconds: float) -> str:
    """Write the page as HTML; its pictures lie beside it, under their `file_name`.

    Args:
        dolls: in the order of the rows.
        model: the name of the model that restored.
        steps: its denoising steps.
        guidance: its guidance scale.
        seconds: how long it took for all dolls.
    """
    rows = "\n".join(_section(doll) for doll in dolls)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>toile: garments restored</title>
<style>{STYLE}</style>
<h1>Garments restored from pictures of people</h1>
<p>IGR, a latent diffusion model, was given the photo, the mask and the category of each row. The photos are
Paper Dolls that no training has seen, drawn by a program, so the truth is known exactly.</p>
<p class="soft">Model {html.escape(model)}, {steps} DDIM steps, guidance {guidance:g};
{len(dolls)} garments in {seconds:.1f} s.
Your own photo: <code>toile restore photo.jpg --mask mask.png --category upper</code></p>
{rows}
</html>
"""


def _section(doll: Doll) -> str:
    height, width = doll.size
    figures = "\n".join(
        f'<figure><img src="{file_name(doll, kind)}" width="{width}" height="{height}" alt="{kind}">'
        f"<figcaption>{kind}</figcaption></figure>"
        for kind in KINDS
    )
    return f"""<section>
<p>{html.escape(doll.garment_caption)}</p>
<p class="soft">{doll.category} · {doll.mode} · doll {doll.seed}</p>
<div class="row">
{figures}
</div>
</section>"""
