"""The page: a heading, a place for settings, and a tab for each task."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from toile import __version__
from toile.app.dress_tab import dress_tab
from toile.app.examples import Example
from toile.app.restore_tab import restore_tab
from toile.app.saved_settings import settings_slot
from toile.app.swap_tab import swap_tab
from toile.app.take_off_tab import take_off_tab
from toile.app.try_on_tab import try_on_tab
from toile.app.wardrobe_tab import wardrobe_tab
from toile.app.workroom import Workroom

TITLE = "toile: clothes in pictures"
KEPT_HOURS = 6
"""Uploads and results are removed after so long."""


def build_page(room: Workroom, examples: Sequence[Example]) -> gr.Blocks:
    """Build the page.

    Args:
        room: does the work.
        examples: to try it with.
    """
    hours = KEPT_HOURS * 3600
    page: gr.Blocks
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(900, hours)) as page:
        with gr.Row(elem_classes=["head"]):
            with gr.Column(scale=3, min_width=280):
                gr.HTML(f"<h1>Clothes in pictures</h1><p class='soft'>{_about(room)}</p>")
            with gr.Column(scale=2, min_width=280) as corner:
                pass
        with gr.Tabs() as tabs:
            settings = [
                restore_tab(room, examples),
                try_on_tab(room, examples),
                take_off_tab(room, examples),
                swap_tab(room, examples),
            ]
            dress = dress_tab(room, examples)
            wardrobe_tab(room, tabs, dress, page)
        with corner:
            settings_slot(room, tabs, [*settings, dress.settings])
        page.unload(_leave(room))
    return page


def _about(room: Workroom) -> str:
    models = room.atelier.models
    names = dict.fromkeys((models.igr, models.twgtm, models.anydressing))
    young = (
        ". The bundled weights are young: they know Paper Dolls, and photos little" if "tiny" in names else ""
    )
    shown = ", ".join(name.rstrip("/").rsplit("/", 1)[-1] for name in names)
    return f"toile {__version__}, model {shown}, on this computer: no picture leaves it{young}."


def _leave(room: Workroom) -> Any:
    """What happens when a visitor closes the page: nobody waits for his picture any more."""

    def leave(request: gr.Request) -> None:
        room.in_progress.stop(str(request.session_hash))

    return leave
