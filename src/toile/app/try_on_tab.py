"""The tab Try on: a photo of a person and a flat garment in, the person in the garment out."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toile.app.drawing_controls import category_choice, drawing_controls, drawing_of, seeds_of
from toile.app.examples import Example, run_examples, show_examples
from toile.app.mask_finding import find_masks, masked_photo, read_masked
from toile.app.pictures import picture_slot, read_picture
from toile.app.result_area import result_area, result_picture, wire
from toile.app.saved_settings import TabSettings
from toile.app.workroom import Workroom
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.tryon import TryOnRequest

INTRODUCTION = (
    "Somebody in a garment that lies flat. What the red mask covers is drawn anew. Of several pictures, that "
    "comes first whose garment, taken off again, is nearest to the true one: its round trip is the shortest."
)


def try_on_tab(room: Workroom, examples: Sequence[Example]) -> TabSettings:
    """Draw the tab and connect it."""
    with gr.Tab("Try on", id="tryon"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        with gr.Row(elem_classes=["bench"]):
            masked = masked_photo("Person", "tryon-person")
            garment = picture_slot("Garment", "tryon-garment")
            picture = result_picture("Result", "tryon")
        with gr.Row(elem_classes=["under"]):
            with gr.Column(min_width=320):
                category = category_choice("tryon")
                own_steps = room.atelier.models.steps("twgtm")
                controls = drawing_controls("tryon", TWGTM_DRAWING, own_steps, room.limits)
                repaint = gr.Checkbox(
                    True, label="Keep the photo outside of the mask", elem_id="tryon-repaint"
                )
                scored = gr.Checkbox(False, label="Score a single picture too", elem_id="tryon-scored")
            with gr.Column(min_width=320):
                area = result_area(picture, "tryon", "Try on")
                shown = show_examples(
                    "tryon", [[example.person, example.other_garment] for example in examples]
                )

    def requests(
        person: Any,
        held: Any,
        flat: Any,
        kind: str,
        keep: bool,
        score: bool,
        seed: Any,
        steps: Any,
        guidance: Any,
        count: Any,
    ) -> list[TryOnRequest]:
        photo, mask = read_masked(person, held, kind, "the person", room.limits)
        seeds = seeds_of(seed, count, room.limits)
        return [
            TryOnRequest(
                person=photo,
                garment=read_picture(flat, "the garment", room.limits),
                mask=mask,
                category=kind,
                repaint=keep,
                candidates=len(seeds),
                round_trip=score,
                seed=seeds[0],
                drawing=drawing_of(steps, guidance, room.limits),
            )
        ]

    find_masks(room, masked, category, area.message)
    inputs = [*masked.inputs, garment, category, repaint, scored, *controls.components.values()]
    listener = wire(room, area, inputs, requests)
    rows = [[example.person, example.other_garment, example.category] for example in examples]
    run_examples(shown, rows, [masked.photo, garment, category], listener)
    own = {"category": category, "repaint": repaint}
    return TabSettings(task="tryon", controls={**own, **controls.settings})
