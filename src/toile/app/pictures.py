"""Pictures that people drop on the page: where they are shown, and how they are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from PIL import Image

from toile.app.limits import Limits
from toile.decoding import decode, picture_size
from toile.errors import ToileError
from toile.images import as_photo

ROW_HEIGHT = 256
"""Pixels of pictures that are shown in a row as one."""


def picture_slot(label: str, name: str, **settings: Any) -> gr.Image:
    """A place for one picture.

    Args:
        label: what is wanted there.
        name: of the element in the page.
        **settings: of `gr.Image`.
    """
    slot = gr.Image(
        label=label,
        elem_id=name,
        elem_classes=["slot"],
        sources=["upload", "clipboard"],
        image_mode=None,
        type="filepath",
        buttons=[],
        height=340,
        placeholder="Drop a picture here\nor click, or paste",
        **settings,
    )
    slot.preprocess = _file_of  # type: ignore[method-assign]
    return slot


def _file_of(payload: ImageData | None) -> str | None:
    """The file as it came, in the page's own folder; the gate lets no other path through.

    gradio would decode it first, without our limits, and fail with a traceback where it cannot. A subclass,
    the usual way to say so, makes gradio write a file beside the module.
    """
    return None if payload is None else payload.path


def read_picture(file: str | None, what: str, limits: Limits) -> Image.Image:
    """Read a picture that was dropped, as RGB.

    Args:
        file: in the page's own folder; None where nothing was dropped.
        what: to call it in messages, as `the photo`.
        limits: that it has to keep.

    Raises:
        ToileError: when there is none, or it is no picture, damaged, or beyond the limits.
    """
    content = read_file(file, what, limits)
    width, height = picture_size(content, what)
    if width * height > limits.pixels:
        raise ToileError(
            f"{what} has {width}×{height} pixels, more than the {limits.megapixels:g} million that are taken "
            "here; scale it down"
        )
    return as_photo(decode(content, what))


def read_file(file: str | None, what: str, limits: Limits) -> bytes:
    """The content of a file that was dropped.

    Raises:
        ToileError: when there is none, or it is too large.
    """
    if file is None:
        raise ToileError(f"{what} is missing; drop a picture there")
    try:
        size = Path(file).stat().st_size
        if size > limits.file_bytes:
            raise ToileError(
                f"{what} has {size / 1e6:.1f} MB, more than the {limits.megabytes:g} MB that are taken here; "
                "scale it down"
            )
        return Path(file).read_bytes()
    except OSError as error:
        raise ToileError(f"{what} is no longer here; drop it again") from error


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures in a row, of one height, on white."""
    scaled = [one.resize((max(1, one.width * ROW_HEIGHT // one.height), ROW_HEIGHT)) for one in pictures]
    row = Image.new("RGB", (sum(one.width for one in scaled), ROW_HEIGHT), "white")
    left = 0
    for one in scaled:
        row.paste(one, (left, 0))
        left += one.width
    return row
