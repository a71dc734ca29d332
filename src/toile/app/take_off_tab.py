"""The tab Take off: a photo of a person in, the flat garment out, by the model that also tries on."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toile.app.drawing_controls import category_choice, drawing_controls, drawing_of, seeds_of
from toile.app.examples import Example, run_examples, show_examples
from toile.app.pictures import picture_slot, read_picture
from toile.app.result_area import result_area, result_picture, wire
from toile.app.saved_settings import TabSettings
from toile.app.workroom import Workroom
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.takeoff import PREDICTED, TakeOffRequest

INTRODUCTION = (
    "The garment that somebody wears, flat on white, by the model that also tries on. It needs no mask."
)


def take_off_tab(room: Workroom, examples: Sequence[Example]) -> TabSettings:
    """Draw the tab and connect it."""
    with gr.Tab("Take off", id="takeoff"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        with gr.Row(elem_classes=["bench"]):
            photo = picture_slot("Photo", "takeoff-photo")
            picture = result_picture("Garment", "takeoff")
        with gr.Row(elem_classes=["under"]):
            with gr.Column(min_width=320):
                category = category_choice("takeoff")
                own_steps = room.atelier.models.steps("twgtm")
                controls = drawing_controls("takeoff", TWGTM_DRAWING, own_steps, room.limits)
                silhouette = gr.Checkbox(False, label="Show its silhouette too", elem_id="takeoff-silhouette")
                box = gr.Checkbox(
                    False, label="Lay it where its silhouette is predicted", elem_id="takeoff-predicted"
                )
            with gr.Column(min_width=320):
                area = result_area(picture, "takeoff", "Take off")
                shown = show_examples("takeoff", [[example.person] for example in examples])

    def requests(
        file: Any,
        kind: str,
        shape: bool,
        predicted: bool,
        seed: Any,
        steps: Any,
        guidance: Any,
        count: Any,
    ) -> list[TakeOffRequest]:
        person = read_picture(file, "the photo", room.limits)
        drawing = drawing_of(steps, guidance, room.limits)
        return [
            TakeOffRequest(
                photo=person,
                category=kind,
                box=PREDICTED if predicted else None,
                silhouette=shape,
                seed=own,
                drawing=drawing,
            )
            for own in seeds_of(seed, count, room.limits)
        ]

    inputs = [photo, category, silhouette, box, *controls.components.values()]
    listener = wire(room, area, inputs, requests)
    rows = [[example.person, example.category] for example in examples]
    run_examples(shown, rows, [photo, category], listener)
    return TabSettings(task="takeoff", controls={"category": category, "box": box, **controls.settings})
