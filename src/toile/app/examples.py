"""Paper Dolls to try the page with: drawn when it starts, from seeds that no training has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from toile.app.pictures import side_by_side
from toile.dolls import CATEGORIES, Category, Doll, Mode, draw_doll

FIRST_SEED = 10_000_000
"""Dolls with seeds from here on are never trained on."""
SIZE = (512, 384)
"""(height, width) of the pictures."""
COUNT = 4
OTHERS = 100
"""From a doll's seed to that of the other doll of its example."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """One doll."""

    doll: Doll
    """Everything that is known about it."""
    person: str
    """The file of its photo."""
    garments: dict[str, str]
    """The files of its flat garments, by kind."""
    other_person: str
    """The photo of another doll, who wears a garment of the same category."""
    other_garment: str
    """That garment, flat."""

    @property
    def category(self) -> str:
        """Of the garment that it is about."""
        return self.doll.category

    @property
    def scene(self) -> str:
        """What is to be seen, without a word of the clothes."""
        return self.doll.captions["unnamed"]


def draw_examples(folder: Path, count: int = COUNT) -> list[Example]:
    """Draw dolls of all three categories, studio and street in turn, and write their pictures.

    Args:
        folder: where to.
        count: how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_example(index, folder) for index in range(count)]


def _example(index: int, folder: Path) -> Example:
    category = CATEGORIES[index % len(CATEGORIES)]
    doll = _doll(FIRST_SEED + index, "street" if index % 2 else "studio", category)
    other = _doll(FIRST_SEED + OTHERS + index, "studio", category)
    garments = {
        kind: _written(garment.image, folder / f"doll-{doll.seed}-{kind}.png")
        for kind, garment in doll.garments.items()
    }
    return Example(
        doll=doll,
        person=_written(doll.person, folder / f"doll-{doll.seed}.png"),
        garments=garments,
        other_person=_written(other.person, folder / f"doll-{other.seed}.png"),
        other_garment=_written(other.garment, folder / f"doll-{other.seed}-{other.category}.png"),
    )


def _doll(seed: int, mode: Mode, category: Category) -> Doll:
    return draw_doll(seed, size=SIZE, mode=mode, category=category)


def _written(pixels: np.ndarray, path: Path) -> str:
    Image.fromarray(pixels).save(path)
    return str(path)


def show_examples(name: str, rows: Sequence[Sequence[str]]) -> gr.Dataset:
    """A line of examples to click on; its value is the number of the one that was.

    Args:
        name: of the tab, for the element's name.
        rows: the files of each example's pictures, which are shown as one.
    """
    return gr.Dataset(
        components=["image"],
        samples=[[_shown(name, row)] for row in rows],
        type="index",
        label="Paper Dolls: click one, and it is done",
        elem_id=f"{name}-examples",
        elem_classes=["examples"],
        samples_per_page=len(rows),
        layout="gallery",
    )


def _shown(name: str, files: Sequence[str]) -> str:
    if len(files) == 1:
        return files[0]
    path = Path(files[0]).with_name(f"{name}-{Path(files[0]).name}")
    side_by_side([Image.open(file) for file in files]).save(path)
    return str(path)


def run_examples(
    examples: gr.Dataset, rows: Sequence[Sequence[Any]], outputs: Sequence[Any], listener: dict[str, Any]
) -> None:
    """Fill a tab with the example that is clicked on, and start.

    Args:
        examples: made by `show_examples`.
        rows: what each one fills in.
        outputs: where.
        listener: what `result_area.wire` gave.
    """

    def fill(index: int) -> list[Any]:
        return list(rows[index]) if len(outputs) > 1 else rows[index][0]

    filled = examples.click(
        fill,
        inputs=[examples],
        outputs=list(outputs),
        show_progress="hidden",
        api_visibility="private",
        preprocess=True,
    )
    filled.then(**listener)
