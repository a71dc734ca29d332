"""The tab Wardrobe: outfits that are encoded once and kept: list, add, wear and remove them."""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from PIL import Image

from toile.app.dress_tab import NOTHING, DressTab, outfit_choices
from toile.app.garment_rows import Garment, garment_rows, read_garments
from toile.app.pictures import ROW_HEIGHT, side_by_side
from toile.app.results import error_html, notes_html
from toile.app.workroom import Workroom
from toile.errors import ToileError
from toile.tasks.dress import outfit_features

INTRODUCTION = (
    "Outfits that are encoded once and kept on this computer, for everybody who uses this page, and for "
    "<code>toile dress --wear</code>."
)


def wardrobe_tab(room: Workroom, tabs: gr.Tabs, dress: DressTab, page: gr.Blocks) -> None:
    """Draw the tab and connect it.

    Args:
        room: keeps the outfits.
        tabs: of the page.
        dress: puts them on.
        page: shows them when it is opened.
    """
    with gr.Tab("Wardrobe", id="wardrobe"):
        gr.HTML(f"<p>{INTRODUCTION}</p>")
        outfits = gr.Gallery(
            label="Outfits",
            show_label=False,
            elem_id="wardrobe-outfits",
            elem_classes=["candidates", "outfits"],
            columns=4,
            height="auto",
            object_fit="contain",
            allow_preview=False,
            interactive=False,
            buttons=[],
            visible=False,
        )
        chosen = gr.State(NOTHING)
        message = gr.HTML(elem_id="wardrobe-message", elem_classes=["message"])
        with gr.Row(elem_classes=["actions"]):
            wear = gr.Button("Wear it", variant="primary", visible=False, elem_id="wardrobe-wear")
            remove = gr.Button("Remove it", visible=False, elem_id="wardrobe-remove")
            really = gr.Button("Really remove it", variant="stop", visible=False, elem_id="wardrobe-really")
        gr.HTML("<h3>Add an outfit</h3>")
        with gr.Row(elem_classes=["bench"]):
            rows = garment_rows(room, "wardrobe", message)
            with gr.Column(min_width=240):
                name = gr.Textbox(label="Name", placeholder="sunday", max_length=100, elem_id="wardrobe-name")
                add = gr.Button("Keep it", variant="primary", elem_id="wardrobe-keep")

    buttons = [wear, remove, really]
    everything = [outfits, chosen, dress.wear, message, *buttons]

    def refreshed(news: str) -> list[Any]:
        """The list as it is now, with nothing chosen."""
        hidden = [gr.update(visible=False)] * len(buttons)
        try:
            shown, choices = outfit_pictures(room), outfit_choices(room)
        except ToileError as error:
            return [[], NOTHING, gr.update(), error_html(str(error)), *hidden]
        gallery = gr.update(value=shown, selected_index=None, visible=bool(shown))
        said = news or ("" if shown else notes_html(["nothing is kept yet"]))
        return [gallery, NOTHING, gr.update(choices=choices), said, *hidden]

    def keep(worn: list[Garment], called: str) -> list[Any]:
        try:
            keep_outfit(room, called.strip(), read_garments(worn, room.limits))
        except ToileError as error:
            return [*refreshed(error_html(str(error))), worn, called]
        return [*refreshed(notes_html([f"{called.strip()} is kept"])), [], ""]

    def choose(event: gr.SelectData) -> list[Any]:
        names = room.atelier.wardrobe.names()
        picked = names[event.index] if event.index < len(names) else NOTHING
        shown = gr.update(visible=bool(picked))
        return [picked, notes_html([f"chosen: {picked}"]), shown, shown, gr.update(visible=False)]

    def take_away(picked: str) -> list[Any]:
        try:
            room.atelier.wardrobe.remove(picked)
        except ToileError as error:
            return refreshed(error_html(str(error)))
        return refreshed(notes_html([f"{picked} is removed"]))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    page.load(lambda: refreshed(""), outputs=everything, **quiet)
    add.click(
        keep,
        inputs=[rows.garments, name],
        outputs=[*everything, rows.garments, name],
        concurrency_limit=1,
        show_progress="minimal",
        api_visibility="private",
    )
    outfits.select(choose, outputs=[chosen, message, *buttons], **quiet)
    wear.click(
        lambda picked: (picked, gr.Tabs(selected="dress")),
        inputs=[chosen],
        outputs=[dress.wear, tabs],
        **quiet,
    )
    remove.click(lambda: gr.update(visible=True), outputs=[really], **quiet)
    really.click(take_away, inputs=[chosen], outputs=everything, **quiet)


def outfit_pictures(room: Workroom) -> list[tuple[Image.Image, str]]:
    """Of each outfit its garments side by side, its name and kinds below; a damaged one says that it is.

    Raises:
        ToileError: when the wardrobe cannot be read.
    """
    store = room.atelier.wardrobe
    shown = []
    for name in store.names():
        try:
            kinds = " + ".join(store.describe(name).categories)
            shown.append((side_by_side(store.pictures(name)), f"{name} · {kinds}"))
        except ToileError:
            shown.append((Image.new("RGB", (ROW_HEIGHT, ROW_HEIGHT), "white"), f"{name} · damaged"))
    return shown


def keep_outfit(room: Workroom, name: str, garments: Mapping[str, Sequence[Image.Image]]) -> None:
    """Encode garments in one pass and keep them.

    Raises:
        ToileError: when there are none, the name is none or taken, or the model does not know a kind.
    """
    if not garments:
        raise ToileError("an outfit needs a garment; drop a picture of one")
    store = room.atelier.wardrobe
    store.check_new(name)
    pipeline = room.atelier.pipeline("anydressing")
    store.add(
        name,
        outfit_features(pipeline, garments, size=pipeline.dressing.size),
        pictures=[picture for pictures in garments.values() for picture in pictures],
        weights=pipeline.dressing.weights_hash(),
        model=room.atelier.models.anydressing,
    )
