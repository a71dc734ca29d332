"""The page about a catalogue: how it went, a random sample of its pictures, and all that failed."""

import base64
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from toile.catalogue.error_kinds import ErrorKinds
from toile.catalogue.item import BadItem
from toile.catalogue.lists import ItemList
from toile.catalogue.loading import decoded
from toile.catalogue.report_page import Card, Overview, Shot, page_html
from toile.catalogue.sinks import read_output
from toile.decoding import decode
from toile.errors import ToileError
from toile.files import write_text
from toile.images import as_photo

PAGE = "report.html"
"""The file to open, in the output's folder."""
SAMPLE = 24
"""So many results are shown."""
SIDE = 360
"""Pixels of a shown picture's longer side."""
LONGEST = 200
"""Letters of a prompt that are shown."""
QUALITY = 88
"""Of the JPEGs on the page."""


@dataclass(kw_only=True)
class Tally:
    """What a manifest says in sum; its size does not depend on the manifest's."""

    done: int = 0
    """Items whose picture is there."""
    seconds: float = 0.0
    """That the model spent on them."""
    sample: list[Mapping[str, Any]] = field(default_factory=list)
    """A random sample of their lines."""
    failures: ErrorKinds = field(default_factory=ErrorKinds)
    """The others."""


def write_report(
    folder: Path,
    tally: Tally,
    *,
    items: ItemList | None = None,
    elapsed: float | None = None,
    title: str = "A catalogue",
    settings: str = "",
) -> Path:
    """Write one HTML file that needs nothing else; the pictures that it shows are small copies within it.

    Args:
        folder: of the output.
        tally: what the manifest says, with a sample of it to show.
        items: the list, from which inputs are shown beside results; None shows results alone.
        elapsed: seconds that the run took, for its rate.
        title: heads the page.
        settings: how it was made, in a line.

    Returns:
        The page's file.

    Raises:
        ToileError: when it cannot be written.
    """
    overview = Overview(
        title=title,
        settings=settings,
        done=tally.done,
        failed=len(tally.failures),
        elapsed=elapsed,
        seconds=tally.seconds,
    )
    cards = [_card(folder, row, items) for row in sorted(tally.sample, key=lambda row: int(row["number"]))]
    page = page_html(overview, cards, tally.failures)
    write_text(
        page.encode("utf-8", "replace").decode(), folder / PAGE
    )  # files may have names that are no text
    return folder / PAGE


def take_sample(rows: Iterable[Mapping[str, Any]], size: int = SAMPLE, seed: int = 0) -> Tally:
    """Count a manifest's lines, and take a random sample of those that were done.

    Each is as likely as any other to be in it: Algorithm R (Vitter, "Random sampling with a reservoir", ACM
    Transactions on Mathematical Software 11, 1985).

    Args:
        rows: the lines as objects, one an item; they are looked at one by one.
        size: of the sample.
        seed: of the sample; the same lines and seed give the same sample.
    """
    tally, chance = Tally(), random.Random(seed)
    for row in rows:
        if row["state"] != "done":
            tally.failures.add(row)
            continue
        tally.done += 1
        tally.seconds += float(row.get("seconds") or 0)
        place = tally.done - 1 if tally.done <= size else chance.randrange(tally.done)
        if place < size:
            tally.sample[place : place + 1] = [row]
    return tally


def _card(folder: Path, row: Mapping[str, Any], items: ItemList | None) -> Card:
    shots = [] if items is None else _inputs(items, int(row["number"]))
    settings = row.get("settings") or {}
    said = [str(settings[name])[:LONGEST] for name in ("category", "prompt") if settings.get(name)]
    seed = [] if row.get("seed") is None else [f"seed {row['seed']}"]
    return Card(name=str(row["name"]), note=" · ".join((*said, *seed)), shots=(*shots, _output(folder, row)))


def _inputs(items: ItemList, number: int) -> list[Shot]:
    """The pictures that an item was made from; what cannot be read is said instead of shown."""
    try:
        item = next(items.read(number, number + 1))
    except (ToileError, StopIteration):
        return [Shot(role="input", reason="the list has changed")]
    if isinstance(item, BadItem):
        return [Shot(role="input", reason="the list has changed")]
    return [
        _shot(role.removeprefix("garments."), partial(decoded, source)) for role, source in item.files.items()
    ]


def _output(folder: Path, row: Mapping[str, Any]) -> Shot:
    place = str(row.get("output") or "")
    return _shot("result", lambda: decode(read_output(folder, place), place))


def _shot(role: str, read: Callable[[], Image.Image]) -> Shot:
    try:
        picture = as_photo(read())
    except ToileError as error:
        return Shot(role=role, reason=str(error))
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    content = BytesIO()
    picture.save(content, format="JPEG", quality=QUALITY)
    data = base64.b64encode(content.getvalue()).decode()
    return Shot(role=role, data=data, width=picture.width, height=picture.height)
