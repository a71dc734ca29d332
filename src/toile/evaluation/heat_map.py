"""A matrix as a heat map: a cell for each number, names beside them, a bar that explains the colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from toile.errors import ToileError

INK, QUIET, PAPER = (32, 33, 38), (110, 112, 120), (255, 255, 255)
NOTHING, HATCH = (243, 243, 241), (214, 214, 210)
"""The ground and the stripes of cells that hold no number."""
MARGIN, GAP, TICK, BAR = 20, 10, 5, 18
"""Pixels around the figure, between its parts, of the bar's ticks, and of the bar's width."""
NUMBERED = 34
"""From this side on, in pixels, a cell shows its number."""
STRIPE = 7
"""Pixels from one stripe of a hatched cell to the next."""


@dataclass(frozen=True, kw_only=True)
class HeatMapStyle:
    """How a heat map is drawn."""

    cell: int = 44
    """Side of a cell in pixels."""
    font: int = 15
    """Height of the text in pixels."""
    title: str = ""
    """Stands above the matrix."""
    row_title: str = ""
    """What the rows are, beside their names."""
    column_title: str = ""
    """What the columns are, below their names."""
    span: tuple[float, float] | None = None
    """The numbers at the ends of the colour bar; None takes 0 to 1, or -1 to 1 where a number is negative."""


def heat_map(
    matrix: Float[np.ndarray, "rows columns"],
    names: Sequence[str],
    column_names: Sequence[str] | None = None,
    style: HeatMapStyle | None = None,
) -> Image.Image:
    """Draw a matrix as an RGB picture; cells that are NaN are hatched in grey.

    Args:
        matrix: the numbers; those beyond the colour bar's ends take the end's colour.
        names: one for each row.
        column_names: one for each column; None takes `names`.
        style: sizes, titles and the colour bar's span.

    Raises:
        ToileError: when the matrix is empty, or has another number of rows or columns than names.
    """
    columns = names if column_names is None else column_names
    if matrix.shape != (len(names), len(columns)) or not matrix.size:
        raise ToileError(
            f"a matrix of {matrix.shape} needs a name for each row and column, at least one; "
            f"there are {len(names)} and {len(columns)} names"
        )
    style = style or HeatMapStyle()
    span = style.span or ((-1.0, 1.0) if np.nanmin(matrix, initial=0) < 0 else (0.0, 1.0))
    figure = _Figure(style, names, columns)
    figure.titles()
    for row, name in enumerate(names):
        figure.row_name(row, name)
    for column, name in enumerate(columns):
        figure.column_name(column, name)
    for (row, column), value in np.ndenumerate(matrix):
        figure.cell(row, column, float(value), span)
    figure.colour_bar(span)
    return figure.picture


def colours(values: Float[np.ndarray, " N"], span: tuple[float, float]) -> UInt8[np.ndarray, "N 3"]:
    """Viridis, dark at the low end and bright at the high: read alike in print and by the colour-blind."""
    low, high = span
    share = np.clip((values - low) / (high - low), 0, 1)
    grey = np.round(share * 255).astype(np.uint8)[:, None]  # (N, 1)
    coloured = cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS)  # (N, 1, 3), blue first
    return np.ascontiguousarray(np.asarray(coloured, dtype=np.uint8)[:, 0, ::-1])


class _Figure:
    """The picture, and where everything is on it."""

    def __init__(self, style: HeatMapStyle, rows: Sequence[str], columns: Sequence[str]) -> None:
        self.style = style
        self.font = ImageFont.load_default(style.font)
        self.small = ImageFont.load_default(max(style.font - 4, 8))
        line = style.font + GAP
        self.height, self.width = style.cell * len(rows), style.cell * len(columns)
        self.left = MARGIN + (line if style.row_title else 0) + self._longest(rows) + GAP
        self.top = MARGIN + (line if style.title else 0)
        bar = 2 * GAP + BAR + TICK + self._longest(["-0.00"]) + 4
        below = GAP + self._longest(columns) + (line if style.column_title else 0) + MARGIN
        across = max(self.width + bar, self._longest([style.title]))
        size = self.left + across + MARGIN, self.top + self.height + below
        self.picture = Image.new("RGB", size, PAPER)
        self.draw = ImageDraw.Draw(self.picture)

    def titles(self) -> None:
        """Above the matrix, beside its rows and below its columns."""
        across, down = self.left + self.width // 2, self.top + self.height // 2
        self.draw.text((self.left, MARGIN), self.style.title, INK, self.font, anchor="lt")
        bottom = self.picture.height - MARGIN
        self.draw.text((across, bottom), self.style.column_title, QUIET, self.font, anchor="mb")
        self._upright(self.style.row_title, (MARGIN, down), QUIET, middle=True)

    def row_name(self, row: int, name: str) -> None:
        """Left of its row."""
        y = self.top + row * self.style.cell + self.style.cell // 2
        self.draw.text((self.left - GAP, y), name, INK, self.font, anchor="rm")

    def column_name(self, column: int, name: str) -> None:
        """Below its column, read from the bottom to the top."""
        x = self.left + column * self.style.cell + (self.style.cell - self.style.font) // 2
        self._upright(name, (x, self.top + self.height + GAP), INK, middle=False)

    def cell(self, row: int, column: int, value: float, span: tuple[float, float]) -> None:
        """One number: its colour, and where there is room its digits; or stripes."""
        side = self.style.cell
        x, y = self.left + column * side, self.top + row * side
        if np.isnan(value):
            self.picture.paste(_hatched(side - 1), (x, y))
            return
        red, green, blue = (int(part) for part in colours(np.array([value]), span)[0])
        self.draw.rectangle((x, y, x + side - 2, y + side - 2), (red, green, blue))
        if side >= NUMBERED:
            light = 0.299 * red + 0.587 * green + 0.114 * blue
            ink = INK if light > 130 else PAPER
            self.draw.text((x + side // 2, y + side // 2), _digits(value), ink, self.small, anchor="mm")

    def colour_bar(self, span: tuple[float, float]) -> None:
        """Right of the matrix, as high as it, with five ticks."""
        x, last = self.left + self.width + 2 * GAP, self.height - 2
        shades = colours(np.linspace(span[1], span[0], last + 1), span)  # (height, 3)
        bar = Image.fromarray(np.repeat(shades[:, None], BAR, axis=1))
        self.picture.paste(bar, (x, self.top))
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = self.top + round((1 - share) * last)
            self.draw.line((x + BAR, y, x + BAR + TICK - 1, y), QUIET)
            value = span[0] + share * (span[1] - span[0])
            self.draw.text((x + BAR + TICK + 4, y), _digits(value), QUIET, self.small, anchor="lm")

    def _longest(self, texts: Sequence[str]) -> int:
        return max(round(self.font.getlength(text)) for text in texts)

    def _upright(self, text: str, corner: tuple[int, int], ink: tuple[int, int, int], middle: bool) -> None:
        """A text turned by a quarter; `corner` is the left end of its top, or with `middle` of its middle."""
        if not text:
            return
        label = Image.new("RGB", (self._longest([text]) + 2, self.style.font + 4), PAPER)
        ImageDraw.Draw(label).text((label.width, label.height // 2), text, ink, self.font, anchor="rm")
        turned = label.transpose(Image.Transpose.ROTATE_90)
        self.picture.paste(turned, (corner[0], corner[1] - (turned.height // 2 if middle else 0)))


def _hatched(side: int) -> Image.Image:
    y, x = np.mgrid[:side, :side]
    stripes = ((x + y) % STRIPE < 1)[..., None]
    return Image.fromarray(np.where(stripes, HATCH, NOTHING).astype(np.uint8))


def _digits(value: float) -> str:
    """Two decimals, and no minus before a zero."""
    text = f"{value:.2f}"
    return text.lstrip("-") if float(text) == 0 else text
