"""The settings that a PNG of toile carries: read from the file, checked, and put back into the controls."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from toile.app.limits import Limits
from toile.app.pictures import read_file
from toile.app.results import error_html, notes_html
from toile.app.workroom import Workroom
from toile.decoding import decode, picture_size
from toile.errors import ToileError
from toile.images import METADATA_KEY
from toile.tasks.drawing import CATEGORIES, LARGEST_JAVASCRIPT_SEED
from toile.tasks.dress import MOST_SCALE
from toile.tasks.swap import THROUGH
from toile.tasks.takeoff import PREDICTED

LONGEST_TEXT = 2000
WHERE_NOTHING_IS_SAID: dict[str, object] = {"wear": ""}
"""What a picture was made with where it does not say so: no kept outfit was worn."""
MASKS = ("mask", "target_mask", "wearer_mask")


@dataclass(frozen=True, kw_only=True)
class TabSettings:
    """The controls of a tab that a PNG can set."""

    task: str
    """What the tab does, which is its name too."""
    controls: Mapping[str, Any]
    """The controls, by the names that settings have in a PNG."""


def read_settings(content: bytes) -> dict[str, object]:
    """The settings that a PNG carries.

    Raises:
        ToileError: when it is no picture, or carries none.
    """
    text = decode(content, "the picture").info.get(METADATA_KEY)
    if not isinstance(text, str):
        raise ToileError(
            "the picture carries no settings of toile; take a PNG as it was downloaded here, not a copy in "
            "another format"
        )
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToileError("the settings in the picture are damaged; take another one") from error
    if not isinstance(settings, dict) or not isinstance(settings.get("task"), str):
        raise ToileError("the settings in the picture do not say what it was made by; take a newer one")
    return settings


def values_of(settings: Mapping[str, object], names: Sequence[str], limits: Limits) -> dict[str, object]:
    """Of the named settings those that are there and make sense; whatever else a file says is left out."""
    checks, told = _checks(limits), WHERE_NOTHING_IS_SAID | dict(settings)
    return {
        name: told[name] for name in names if name in told and name in checks and checks[name](told[name])
    }


def _checks(limits: Limits) -> dict[str, Callable[[object], bool]]:
    """Whether a value is one that its control can show."""
    return {
        "category": lambda value: value in CATEGORIES,
        "seed": lambda value: _whole(value) and _between(value, 0, LARGEST_JAVASCRIPT_SEED),
        "steps": lambda value: _whole(value) and _between(value, 1, limits.steps),
        "guidance": lambda value: _between(value, 1, 15),
        "scale": lambda value: _between(value, 0, MOST_SCALE),
        "repaint": lambda value: isinstance(value, bool),
        "through": lambda value: value in THROUGH,
        "box": lambda value: value in (None, PREDICTED),
        "prompt": _text,
        "negative_prompt": _text,
        "wear": _text,
    }


def _shown(name: str, value: object) -> object:
    """A setting as its control has it: the box of a take-off is predicted, or it is not."""
    return value == PREDICTED if name == "box" else value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _between(value: object, least: float, most: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def remarks(settings: Mapping[str, object], kept: Mapping[str, object], room: Workroom) -> list[str]:
    """What to know before the same picture is drawn again."""
    said = ["its settings are back; give it the same pictures, and it will be drawn again"]
    if any(settings.get(name) is True for name in MASKS):
        said.append("its mask was painted or given by hand, which a PNG does not keep: paint it again")
    models = (room.atelier.models.igr, room.atelier.models.twgtm, room.atelier.models.anydressing)
    if settings.get("model") not in models:
        said.append(
            f"it was drawn by the model {str(settings.get('model'))[:100]}, which is not at work here"
        )
    missed = [name for name in ("seed", "steps", "guidance") if name not in kept]
    if missed:
        said.append(f"what it says of {', '.join(missed)} lies beyond what this page takes, and is left out")
    return said


def settings_slot(room: Workroom, tabs: gr.Tabs, tabs_settings: Sequence[TabSettings]) -> None:
    """Draw the place where a PNG is dropped to have its settings back, and connect it to every tab."""
    slot = gr.File(
        label="Settings of a picture",
        show_label=False,
        elem_id="settings-slot",
        elem_classes=["settings-slot"],
        file_types=[".png"],
        height=64,
    )
    message = gr.HTML(elem_id="settings-message", elem_classes=["message"])

    def bring_back(file: str | None) -> dict[Any, Any]:
        try:
            content = read_file(file, "the picture", room.limits)
            width, height = picture_size(content, "the picture")
            if width * height > room.limits.pixels:
                raise ToileError(f"the picture has {width}×{height} pixels, too many to be one of toile's")
            settings = read_settings(content)
            tab = next((tab for tab in tabs_settings if tab.task == settings["task"]), None)
            if tab is None:
                raise ToileError(
                    f"the picture was made by {str(settings['task'])[:40]!r}, which is not done here"
                )
        except ToileError as error:
            return {slot: None, message: error_html(str(error))}
        values = values_of(settings, list(tab.controls), room.limits)
        updates = {tab.controls[name]: gr.update(value=_shown(name, value)) for name, value in values.items()}
        said = notes_html(remarks(settings, values, room))
        return updates | {slot: None, tabs: gr.Tabs(selected=tab.task), message: said}

    every = [control for tab in tabs_settings for control in tab.controls.values()]
    slot.upload(
        bring_back,
        inputs=[slot],
        outputs=[slot, message, tabs, *every],
        show_progress="hidden",
        api_visibility="private",
    )
