"""The tab Dress: garments and a prompt in, somebody who wears them out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from toile.app.drawing_controls import drawing_controls, drawing_of, seeds_of
from toile.app.examples import Example, run_examples, show_examples
from toile.app.garment_rows import Garment, garment_rows, new_garment, read_garments
from toile.app.result_area import result_area, result_picture, wire
from toile.app.saved_settings import LONGEST_TEXT, TabSettings
from toile.app.workroom import Workroom
from toile.errors import ToileError
from toile.tasks.drawing import ANYDRESSING_DRAWING
from toile.tasks.dress import SCALE, DressRequest

INTRODUCTION = "Somebody new who wears your garments, in the scene that you describe."
NOTHING = ""
"""The outfit that is none."""


@dataclass(frozen=True, kw_only=True)
class DressTab:
    """What other tabs need of this one."""

    settings: TabSettings
    """What a PNG can set."""
    wear: gr.Dropdown
    """The kept outfit to wear."""


def outfit_choices(room: Workroom) -> list[tuple[str, str]]:
    """The kept outfits to choose from, and none.

    Raises:
        ToileError: when the wardrobe cannot be read.
    """
    return [("none", NOTHING), *((name, name) for name in room.atelier.wardrobe.names())]


def dress_tab(room: Workroom, examples: Sequence[Example]) -> DressTab:
    """Draw the tab and connect it."""
    with gr.Tab("Dress", id="dress"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        message = gr.HTML(elem_id="dress-garments-message", elem_classes=["message"])
        with gr.Row(elem_classes=["bench"]):
            rows = garment_rows(room, "dress", message)
            picture = result_picture("Result", "dress")
        with gr.Row(elem_classes=["under"]):
            with gr.Column(min_width=320):
                prompt = gr.Textbox(
                    label="Who, where, in which pose",
                    placeholder="a woman in a park",
                    max_length=LONGEST_TEXT,
                    elem_id="dress-prompt",
                )
                negative = gr.Textbox(
                    label="What is not to be seen", max_length=LONGEST_TEXT, elem_id="dress-negative"
                )
                with gr.Row(elem_classes=["controls"]):
                    wear = gr.Dropdown(
                        [("none", NOTHING)],
                        value=NOTHING,
                        label="Outfit from the wardrobe",
                        allow_custom_value=True,
                        min_width=140,
                        elem_id="dress-wear",
                    )
                    scale = gr.Slider(
                        0,
                        2,
                        SCALE,
                        step=0.05,
                        label="Weight of the garments",
                        min_width=140,
                        elem_id="dress-scale",
                    )
                own_steps = room.atelier.models.steps("anydressing")
                controls = drawing_controls("dress", ANYDRESSING_DRAWING, own_steps, room.limits)
            with gr.Column(min_width=320):
                area = result_area(picture, "dress", "Dress")
                shown = show_examples("dress", [list(example.garments.values()) for example in examples])

    def requests(
        worn: list[Garment],
        text: str,
        without: str,
        outfit: str | None,
        weight: Any,
        seed: Any,
        steps: Any,
        guidance: Any,
        count: Any,
    ) -> list[DressRequest]:
        if not isinstance(weight, (int, float)):
            raise ToileError("the weight of the garments is empty; write a number, as 0.7")
        garments = read_garments(worn, room.limits)
        drawing = drawing_of(steps, guidance, room.limits)
        return [
            DressRequest(
                garments=garments,
                prompt=text[:LONGEST_TEXT],
                negative_prompt=without[:LONGEST_TEXT],
                scale=float(weight),
                wear=outfit or None,
                seed=own,
                drawing=drawing,
            )
            for own in seeds_of(seed, count, room.limits)
        ]

    inputs = [rows.garments, prompt, negative, wear, scale, *controls.components.values()]
    listener = wire(room, area, inputs, requests)
    filled = [
        [[new_garment(file, kind) for kind, file in example.garments.items()], example.scene, NOTHING]
        for example in examples
    ]
    run_examples(shown, filled, [rows.garments, prompt, wear], listener)
    own = {"prompt": prompt, "negative_prompt": negative, "scale": scale, "wear": wear}
    return DressTab(settings=TabSettings(task="dress", controls={**own, **controls.settings}), wear=wear)
