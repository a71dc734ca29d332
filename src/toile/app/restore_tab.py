"""The tab Restore: a photo of a person in, the flat garment out."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toile.app.drawing_controls import category_choice, drawing_controls, drawing_of, seeds_of
from toile.app.examples import Example, run_examples, show_examples
from toile.app.mask_finding import find_masks, masked_photo, read_masked
from toile.app.result_area import result_area, result_picture, wire
from toile.app.saved_settings import TabSettings
from toile.app.workroom import Workroom
from toile.tasks.drawing import IGR_DRAWING
from toile.tasks.restore import RestoreRequest

INTRODUCTION = "The garment that somebody wears, restored flat on white. The red mask says which one."


def restore_tab(room: Workroom, examples: Sequence[Example]) -> TabSettings:
    """Draw the tab and connect it."""
    with gr.Tab("Restore", id="restore"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        with gr.Row(elem_classes=["bench"]):
            masked = masked_photo("Photo", "restore-photo")
            picture = result_picture("Garment", "restore")
        with gr.Row(elem_classes=["under"]):
            with gr.Column(min_width=320):
                category = category_choice("restore")
                own_steps = room.atelier.models.steps("igr")
                controls = drawing_controls("restore", IGR_DRAWING, own_steps, room.limits)
            with gr.Column(min_width=320):
                area = result_area(picture, "restore", "Restore")
                shown = show_examples("restore", [[example.person] for example in examples])

    def requests(
        photo: Any, held: Any, kind: str, seed: Any, steps: Any, guidance: Any, count: Any
    ) -> list[RestoreRequest]:
        picture, mask = read_masked(photo, held, kind, "the photo", room.limits)
        drawing = drawing_of(steps, guidance, room.limits)
        return [
            RestoreRequest(photo=picture, mask=mask, category=kind, seed=own, drawing=drawing)
            for own in seeds_of(seed, count, room.limits)
        ]

    find_masks(room, masked, category, area.message)
    inputs = [*masked.inputs, category, *controls.components.values()]
    listener = wire(room, area, inputs, requests)
    rows = [[example.person, example.category] for example in examples]
    run_examples(shown, rows, [masked.photo, category], listener)
    return TabSettings(task="restore", controls={"category": category, **controls.settings})
