"""Items turned into requests: pictures decoded, settings of the item laid over those of the run."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from PIL import Image

from toile.catalogue.columns import DRAWN, columns_of
from toile.catalogue.item import Item, Source
from toile.catalogue.rows import AUTO, NONE
from toile.decoding import decode
from toile.errors import ToileError
from toile.tasks.every import REQUESTS
from toile.tasks.request import Request

DRAWING = tuple(name for name in DRAWN if name != "seed")
"""The settings that are part of a request's drawing."""


def load_request(item: Item, task: str, defaults: Mapping[str, object]) -> Request:
    """Read an item's pictures, and make its request.

    Args:
        item: what to do.
        task: the task's name.
        defaults: the run's settings, by the names of the list's columns; None counts as not given.

    Raises:
        ToileError: when a picture or a setting cannot be used; the message names the item, what is wrong, and
            the file in square brackets.
    """
    try:
        columns = columns_of(task)
        given = {name: value for name, value in defaults.items() if value is not None}
        settings = {**given, **item.settings}
        unknown = [name for name in settings if name not in (*columns.every_setting, *columns.masks)]
        if unknown:
            raise ToileError(f"{task} has no setting {unknown[0]!r}; it has {columns.listed()}")
        pictures = {field: _picture(field, source) for field, source in item.files.items()}
        masks = {field: _mask(settings.pop(field, AUTO)) for field in columns.masks}
        request = _request(task, settings, masks | pictures)
        request.check()
    except ToileError as error:
        raise ToileError(f"{item.name}: {error}") from error
    return request


def _request(task: str, settings: dict[str, Any], pictures: Mapping[str, Any]) -> Request:
    kind = REQUESTS[task]
    drawn = {name: settings.pop(name) for name in DRAWING if name in settings}
    own: dict[str, Any] = {field.name: field for field in fields(kind)}
    arguments: dict[str, Any] = settings | _by_kind(pictures)
    drawing = replace(own["drawing"].default, **drawn)
    missing = [
        name for name, field in own.items() if _is_needed(field) and name not in (*arguments, "drawing")
    ]
    if missing:
        raise ToileError(f"it has no {missing[0]}; write it into the list, or give one for all")
    request: Request = kind(drawing=drawing, **arguments)
    return request


def _is_needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _by_kind(pictures: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures by field; those of garments together, by kind."""
    found: dict[str, Any] = {}
    for field, picture in pictures.items():
        group, _, kind = field.partition(".")
        if kind:
            found.setdefault(group, {}).setdefault(kind.partition(".")[0], []).append(picture)
        else:
            found[field] = picture
    return found


def _mask(choice: object) -> str | None:
    if choice not in (AUTO, NONE):
        raise ToileError(f"mask is {choice!r}; write auto or none")
    return AUTO if choice == AUTO else None


def _picture(field: str, source: Source) -> Image.Image:
    """A picture; what is wrong with it is told before its file, so that like errors begin alike."""
    name = str(source)
    try:
        return decoded(source)
    except ToileError as error:
        what = field.removeprefix("garments.").replace("_", " ")
        what += "" if what.endswith(("photo", "mask")) else " picture"
        raise ToileError(f"the {what} {str(error).removeprefix(f'{name} ')} [{name}]") from error


def decoded(source: Source) -> Image.Image:
    """A picture of an item, whole and upright.

    Raises:
        ToileError: when it cannot be read.
    """
    if isinstance(source, Path):
        if source.exists() and not source.is_file():
            raise ToileError(f"{source} is no file; give a picture")
        return decode(source)
    return decode(source.read(), str(source))
