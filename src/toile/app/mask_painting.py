"""The mask of a photo in the browser: shown over the photo, and painted over by hand.

A painter of our own, some lines of script on a canvas, stands in for `gr.ImageEditor` (gradio 6.31), which
comes up empty when it is filled while it appears, draws a layer twice when it is filled twice, and sends
layers to the server whenever anything on the page changes.
"""

import base64
import binascii
import hashlib
from importlib.resources import files
from io import BytesIO
from typing import Any

import gradio as gr
from PIL import Image

from toile.decoding import decode, picture_size
from toile.errors import ToileError
from toile.images import MASK_THRESHOLD, as_mask, binary

LONGEST = 768
"""Pixels of the longer side that the photo is painted on at. The mask is scaled to the photo's own size."""
LARGEST_MASK = 1_000_000
"""Characters of a painted mask, at most."""
PNG = "data:image/png;base64,"
TEMPLATE = """
<div class="stage" hidden>
  <div class="sheet">
    <canvas class="photo"></canvas>
    <canvas class="ink" aria-label="Mask of the garment: paint with a finger or the mouse"></canvas>
  </div>
  <div class="tools">
    <button type="button" data-tool="paint" aria-pressed="true">Paint</button>
    <button type="button" data-tool="wipe" aria-pressed="false">Wipe</button>
    <input type="range" min="1" max="20" value="5" aria-label="Size of the brush">
    <button type="button" data-tool="again">As found</button>
  </div>
</div>
"""
STYLE = """
.stage { display: flex; flex-direction: column; height: 100%; }
.stage[hidden] { display: none; }
.sheet { position: relative; flex: 1; min-height: 0; display: grid; place-items: center; }
.sheet canvas { grid-area: 1 / 1; max-width: 100%; max-height: 300px; border-radius: .3rem; }
.ink { opacity: .55; touch-action: none; cursor: crosshair; }
.tools { display: flex; gap: .35rem; align-items: center; padding: .5rem .5rem .1rem; }
.tools button { font: inherit; font-size: .82rem; padding: .15rem .6rem; border-radius: .4rem; border: 0;
  background: transparent; color: var(--body-text-color); cursor: pointer; white-space: nowrap; }
.tools button[aria-pressed="true"] { background: var(--button-secondary-background-fill); }
.tools button:hover { background: var(--button-secondary-background-fill-hover); }
.tools input { flex: 1; min-width: 2rem; accent-color: var(--slider-color); }
"""

Painting = dict[str, Any]
"""What the painter holds: `photo` and `mask` as data URLs, `of` what they belong to, `painted` or not."""


def mask_painter(name: str) -> gr.HTML:
    """A photo to paint the mask on; nothing is to be seen before there is one."""
    return gr.HTML(
        None,
        label="Mask",
        show_label=True,
        container=True,
        html_template=TEMPLATE,
        css_template=STYLE,
        js_on_load=files("toile.app").joinpath("mask_painter.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
        elem_classes=["mask"],
        visible=False,
    )


def painting(photo: Image.Image, mask: Image.Image | None, of: str) -> Painting:
    """What the painter is to show.

    Args:
        photo: RGB.
        mask: "L", of the photo's size, 255 where to work; None leaves the photo unmarked.
        of: what they belong to, as `belongs_to` says.
    """
    small = photo.copy()
    small.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    marked = Image.new("L", small.size) if mask is None else binary(mask.resize(small.size))
    return {"photo": _url(small, "JPEG"), "mask": _url(marked, "PNG"), "of": of, "painted": False}


def belongs_to(file: str, category: str) -> str:
    """What a mask belongs to: a photo and a category."""
    return hashlib.sha256(f"{category}\0{file}".encode()).hexdigest()


def painted_mask(held: Painting, photo: Image.Image) -> Image.Image | None:
    """The mask that the painter holds, at its photo's own size, "L", 0 or 255; None where nothing is marked.

    Raises:
        ToileError: when it is none.
    """
    text = held.get("mask")
    if not isinstance(text, str) or not text.startswith(PNG) or len(text) > LARGEST_MASK:
        raise ToileError("the painted mask did not arrive whole; paint it again")
    try:
        content = base64.b64decode(text.removeprefix(PNG), validate=True)
    except binascii.Error as error:
        raise ToileError("the painted mask did not arrive whole; paint it again") from error
    if max(picture_size(content, "the mask")) > LONGEST:
        raise ToileError(f"the painted mask is larger than {LONGEST} pixels; paint it again")
    mask = decode(content, "the mask").convert("L").resize(photo.size, Image.Resampling.BILINEAR)
    largest = int(mask.getextrema()[1])  # type: ignore[arg-type]
    return as_mask(mask, photo.size) if largest >= MASK_THRESHOLD else None


def _url(picture: Image.Image, kind: str) -> str:
    """A picture as a data URL."""
    content = BytesIO()
    picture.save(content, format=kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content.getvalue()).decode()}"
