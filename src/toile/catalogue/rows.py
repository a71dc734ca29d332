"""One line of a list, as columns and values, turned into an item."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os.path import basename, splitext
from pathlib import Path

from toile.catalogue.columns import IGNORED, NAME, TaskColumns
from toile.catalogue.item import Item, Source
from toile.catalogue.names import check_name, numbered_name, safe_name
from toile.errors import ToileError

Row = Mapping[str, object]
"""Values by column; empty ones are left out."""
Find = Callable[[str], Source]
"""Says where the file lies that a list names."""
AUTO, NONE = "auto", "none"


def filled(row: Mapping[str, object]) -> Row:
    """A row without its empty values, texts without the white space around them."""
    stripped = {column: value.strip() if isinstance(value, str) else value for column, value in row.items()}
    return {
        column: value
        for column, value in stripped.items()
        if value not in (None, "", []) and not column.startswith(IGNORED)
    }


def row_name(row: Row, number: int, columns: TaskColumns) -> str:
    """What an item is called: as its column `name` says, or as its pictures' files are called.

    A name that cannot be used is replaced here; `row_item` refuses its row.
    """
    own = row.get(NAME)
    if own is not None:
        text = str(own) if isinstance(own, (str, int)) else ""
        try:
            check_name(text)
        except ToileError:
            return numbered_name(number)
        return text
    files = [row[column] for column in columns.pictures if isinstance(row.get(column), str)]
    if not files or len(files) < len(columns.pictures):
        return numbered_name(number)
    return safe_name("-".join(splitext(basename(str(file)))[0] for file in files))


def row_item(row: Row, number: int, columns: TaskColumns, find: Find) -> Item:
    """The item of a row.

    Args:
        row: its values.
        number: its position in the list.
        columns: what it may say.
        find: where its files lie.

    Raises:
        ToileError: when something is missing, unknown or not understood; it begins with what, not with where.
    """
    if NAME in row:
        own = row[NAME]
        if not isinstance(own, (str, int)) or isinstance(own, bool):
            raise ToileError(f"name is {own!r}; write a text")
        check_name(str(own))
    files: dict[str, Source] = {}
    settings: dict[str, object] = {}
    for column, value in row.items():
        if column == NAME:
            continue
        if column in columns.masks and isinstance(value, str) and value.lower() in (AUTO, NONE):
            settings[column] = value.lower()
        elif column in columns.every_setting:
            settings[column] = _setting(columns, column, value)
        else:
            files |= _files(columns, column, value, find)
    missing = next((column for column in columns.pictures if column not in files), None)
    if missing is not None:
        raise ToileError(f"it names no {missing}; each line needs {columns.wanted()}")
    return Item(number=number, name=row_name(row, number, columns), files=files, settings=settings)


@dataclass(frozen=True)
class LocalFiles:
    """Files as a list names them: relative to the list's folder, or absolute."""

    folder: Path
    """Of the list."""

    def __call__(self, name: str) -> Source:
        """Where a file lies.

        Raises:
            ToileError: when its name cannot be one.
        """
        if not name.isprintable():
            raise ToileError(f"the file {name!r} holds a control character; correct it")
        return self.folder / name


def _setting(columns: TaskColumns, column: str, value: object) -> object:
    try:
        return columns.every_setting[column](value)
    except ValueError as error:
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}..."
        raise ToileError(f"{column} is {shown}; write {error}") from error


def _files(columns: TaskColumns, column: str, value: object, find: Find) -> dict[str, Source]:
    """The file of a picture's column, or the several ones of a kind of garment."""
    garment = columns.garment(column)
    if garment is None and column not in (*columns.pictures, *columns.masks):
        columns.check([column], "it")
    several = value if garment is not None and isinstance(value, list) else [value]
    found = {}
    for place, file in enumerate(several, 1):
        if not isinstance(file, str) or not file.strip():
            raise ToileError(f"{column} is {file!r}; write the name of a file")
        found[f"{garment or column}{f'.{place}' if place > 1 else ''}"] = find(file.strip())
    return found
