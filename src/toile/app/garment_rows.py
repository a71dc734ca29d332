"""Any number of garments: each a row of picture and kind; a picture that is dropped makes one more."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from PIL import Image

from toile.app.limits import Limits
from toile.app.pictures import picture_slot, read_picture
from toile.app.results import error_html
from toile.app.workroom import Workroom
from toile.errors import ToileError

KINDS = ("upper", "lower", "dress", "hat")
"""What is offered; a model may know others, which can be written."""
LONGEST_KIND = 40
_numbers = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Garment:
    """One row."""

    file: str
    """The picture."""
    kind: str
    """What kind of garment it is."""
    number: int
    """Unlike that of any other row, so that a row is known again when one above it is removed."""


def new_garment(file: str, kind: str) -> Garment:
    """A row with a number of its own."""
    return Garment(file=file, kind=kind, number=next(_numbers))


@dataclass(frozen=True, kw_only=True)
class GarmentRows:
    """The rows of a tab."""

    garments: gr.State
    """A list of `Garment`."""
    slot: gr.Image
    """Where the next picture is dropped."""


def garment_rows(room: Workroom, name: str, message: Any) -> GarmentRows:
    """Draw the rows, and the slot that makes one more.

    Args:
        room: says how many there may be.
        name: of the tab, for the elements' names.
        message: says what is wrong with a picture.
    """
    garments = gr.State([])
    slot = picture_slot("Garment", f"{name}-add")
    with gr.Column(elem_id=f"{name}-rows", elem_classes=["garments"], min_width=240):

        @gr.render(inputs=[garments], show_progress="hidden")
        def show(rows: list[Garment]) -> None:
            if not rows:
                gr.HTML('<p class="soft">No garment yet. Each picture that you drop becomes one.</p>')
            for row in rows:
                _show_row(row, garments, name)

    def add(file: str | None, rows: list[Garment]) -> tuple[None, list[Garment], str]:
        try:
            read_picture(file, "the garment", room.limits)
            if len(rows) >= room.limits.garments:
                raise ToileError(f"there are {len(rows)} garments already, and no more are taken here")
        except ToileError as error:
            return None, rows, error_html(str(error))
        return None, [*rows, new_garment(str(file), next_kind([row.kind for row in rows]))], ""

    slot.upload(
        add,
        inputs=[slot, garments],
        outputs=[slot, garments, message],
        show_progress="hidden",
        api_visibility="private",
    )
    return GarmentRows(garments=garments, slot=slot)


def _show_row(row: Garment, garments: gr.State, name: str) -> None:
    with gr.Row(key=f"{name}-row-{row.number}", elem_classes=["garment"]):
        gr.Image(
            row.file,
            show_label=False,
            interactive=False,
            height=96,
            min_width=80,
            scale=1,
            buttons=[],
            key=f"{name}-picture-{row.number}",
        )
        kind = gr.Dropdown(
            list(KINDS),
            value=row.kind,
            label="Kind",
            allow_custom_value=True,
            min_width=110,
            scale=2,
            key=f"{name}-kind-{row.number}",
        )
        remove = gr.Button("Remove", size="sm", min_width=70, scale=1, key=f"{name}-remove-{row.number}")

    def rename(value: str | None, rows: list[Garment]) -> list[Garment]:
        wanted = (value or "").strip()[:LONGEST_KIND]
        return [replace(each, kind=wanted) if each.number == row.number else each for each in rows]

    def take_away(rows: list[Garment]) -> list[Garment]:
        return [each for each in rows if each.number != row.number]

    kind.change(rename, inputs=[kind, garments], outputs=[garments], show_progress="hidden")
    remove.click(take_away, inputs=[garments], outputs=[garments], show_progress="hidden")


def next_kind(kinds: Sequence[str]) -> str:
    """What the next garment most likely is: the first kind that is not there, a dress not beside a shirt."""
    likely = ("hat",) if "dress" in kinds else ("upper", "lower", "hat")
    return next((kind for kind in likely if kind not in kinds), "upper")


def read_garments(rows: Sequence[Garment], limits: Limits) -> dict[str, list[Image.Image]]:
    """The pictures of each kind, in the order of the rows.

    Raises:
        ToileError: when a row has no kind, or its picture cannot be used.
    """
    found: dict[str, list[Image.Image]] = {}
    for number, row in enumerate(rows, start=1):
        if not row.kind:
            raise ToileError(f"garment {number} has no kind; choose one, as upper")
        found.setdefault(row.kind, []).append(read_picture(row.file, f"garment {number}", limits))
    return found
