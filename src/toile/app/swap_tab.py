"""The tab Swap: the garment that one person wears, put on another."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toile.app.drawing_controls import category_choice, drawing_controls, drawing_of, seeds_of
from toile.app.examples import Example, run_examples, show_examples
from toile.app.mask_finding import find_masks, masked_photo, read_masked
from toile.app.result_area import result_area, result_picture, wire
from toile.app.saved_settings import TabSettings
from toile.app.workroom import Workroom
from toile.tasks.drawing import TWGTM_DRAWING
from toile.tasks.swap import SwapRequest

INTRODUCTION = (
    "What one person wears, restored flat, then put on another. The red mask is what is drawn anew."
)
RESTORERS = [("The model that tries on", "twgtm"), ("IGR, by a mask", "igr")]


def swap_tab(room: Workroom, examples: Sequence[Example]) -> TabSettings:
    """Draw the tab and connect it."""
    with gr.Tab("Swap", id="swap"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        with gr.Row(elem_classes=["bench"]):
            wearer = masked_photo("Wearer", "swap-wearer")
            target = masked_photo("Target", "swap-target")
            picture = result_picture("Result", "swap")
        with gr.Row(elem_classes=["under"]):
            with gr.Column(min_width=320):
                category = category_choice("swap")
                own_steps = room.atelier.models.steps("twgtm")
                controls = drawing_controls("swap", TWGTM_DRAWING, own_steps, room.limits)
                through = gr.Radio(RESTORERS, value="twgtm", label="Restored by", elem_id="swap-through")
                repaint = gr.Checkbox(
                    True, label="Keep the target outside of the mask", elem_id="swap-repaint"
                )
            with gr.Column(min_width=320):
                area = result_area(picture, "swap", "Swap")
                pairs = [[example.person, example.other_person] for example in examples]
                shown = show_examples("swap", pairs)

    def requests(
        worn: Any,
        worn_held: Any,
        aim: Any,
        aim_held: Any,
        kind: str,
        by: str,
        keep: bool,
        seed: Any,
        steps: Any,
        guidance: Any,
        count: Any,
    ) -> list[SwapRequest]:
        wears, wearer_mask = read_masked(worn, worn_held, kind, "the wearer", room.limits)
        gets, target_mask = read_masked(aim, aim_held, kind, "the target", room.limits)
        drawing = drawing_of(steps, guidance, room.limits)
        return [
            SwapRequest(
                wearer=wears,
                target=gets,
                category=kind,
                through=by,
                wearer_mask=wearer_mask,
                target_mask=target_mask,
                repaint=keep,
                seed=own,
                drawing=drawing,
            )
            for own in seeds_of(seed, count, room.limits)
        ]

    find_masks(room, wearer, category, area.message, only=(through, "igr"))
    find_masks(room, target, category, area.message)
    inputs = [*wearer.inputs, *target.inputs, category, through, repaint, *controls.components.values()]
    listener = wire(room, area, inputs, requests)
    rows = [[*pair, example.category] for pair, example in zip(pairs, examples, strict=True)]
    run_examples(shown, rows, [wearer.photo, target.photo, category], listener)
    own = {"category": category, "through": through, "repaint": repaint}
    return TabSettings(task="swap", controls={**own, **controls.settings})
