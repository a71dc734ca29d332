"""What a list may say for each task: the columns of its lines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from toile.catalogue import values
from toile.catalogue.values import Parse
from toile.errors import ToileError

NAME = "name"
"""The column that names an item; without it, its pictures' files do."""
KINDS = ("upper", "lower", "dress", "hat")
"""Garments to dress with that have a column of their own; any other kind is written garments.KIND."""
GARMENTS = re.compile(r"garments\.([^.\s][^.]*)(?:\.(\d{1,3}))?")
IGNORED = "_"
"""A column that begins so is the user's own, and is not looked at."""

DRAWN: Mapping[str, Parse] = {
    "seed": values.whole_number,
    "steps": values.whole_number,
    "guidance": values.number,
    "size": values.size,
}
"""The settings of every task."""


@dataclass(frozen=True, kw_only=True)
class TaskColumns:
    """The columns of one task."""

    task: str
    """Its name."""
    pictures: tuple[str, ...]
    """Pictures that every line needs."""
    masks: tuple[str, ...] = ()
    """Masks, each a file, `auto` or `none`."""
    settings: Mapping[str, Parse] = field(default_factory=dict)
    """Settings besides those of every task."""
    garments: bool = False
    """Whether a line may name any number of garments, by kind."""

    @property
    def every_setting(self) -> dict[str, Parse]:
        """All settings that are no masks."""
        return {**DRAWN, **self.settings}

    def garment(self, column: str) -> str | None:
        """The request's field of a garment's column, as `garments.upper`; None for another column."""
        if not self.garments:
            return None
        bare, _, rest = column.partition(".")
        full = f"garments.{column}" if bare in KINDS and (not rest or rest.isdigit()) else column
        return full if GARMENTS.fullmatch(full) else None

    def knows(self, column: str) -> bool:
        """Whether a line may have a column."""
        known = column == NAME or column in (*self.pictures, *self.masks) or column in self.every_setting
        return known or column.startswith(IGNORED) or self.garment(column) is not None

    def check(self, names: Sequence[str], where: str) -> None:
        """Refuse columns that the task does not have, and those given twice.

        Raises:
            ToileError: naming the first such column, and all that there are.
        """
        for place, name in enumerate(names):
            if not self.knows(name):
                raise ToileError(
                    f"{where} has the column {name!r}, which {self.task} does not know; its columns are "
                    f"{self.listed()} (one of your own begins with {IGNORED})"
                )
            if name in names[:place]:
                raise ToileError(f"{where} has the column {name!r} twice; keep one of them")

    def wanted(self) -> str:
        """What every line needs, in words."""
        if self.garments:
            return f"the columns prompt and at least one of {', '.join(KINDS)}, garments.KIND"
        few = "column" if len(self.pictures) == 1 else "columns"
        return f"the {few} {' and '.join(self.pictures)}"

    def listed(self) -> str:
        """Every column, in a line."""
        kinds = (*KINDS, "garments.KIND") if self.garments else ()
        return ", ".join((NAME, *self.pictures, *kinds, *self.masks, *self.every_setting))


_ALL = (
    TaskColumns(task="restore", pictures=("photo",), masks=("mask",), settings={"category": values.category}),
    TaskColumns(
        task="takeoff",
        pictures=("photo",),
        settings={"category": values.category, "box": values.box, "silhouette": values.truth},
    ),
    TaskColumns(
        task="tryon",
        pictures=("person", "garment"),
        masks=("mask",),
        settings={
            "category": values.category,
            "repaint": values.truth,
            "candidates": values.whole_number,
            "round_trip": values.truth,
        },
    ),
    TaskColumns(
        task="swap",
        pictures=("wearer", "target"),
        masks=("wearer_mask", "target_mask"),
        settings={
            "category": values.category,
            "through": values.OneOf("twgtm", "igr"),
            "repaint": values.truth,
        },
    ),
    TaskColumns(
        task="dress",
        pictures=(),
        settings={
            "prompt": values.text,
            "negative_prompt": values.text,
            "scale": values.number,
            "wear": values.text,
        },
        garments=True,
    ),
)
COLUMNS: Mapping[str, TaskColumns] = {columns.task: columns for columns in _ALL}
"""By task."""


def columns_of(task: str) -> TaskColumns:
    """The columns of a task.

    Raises:
        ToileError: when there is no such task.
    """
    if task not in COLUMNS:
        raise ToileError(f"there is no task {task!r}; write one of {', '.join(COLUMNS)}")
    return COLUMNS[task]
