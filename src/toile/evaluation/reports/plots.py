"""Small plots as SVG, written into the page; their colours are the page's (`page.STYLE`).

Plots are `WIDTH` units wide; a page stretches them to the room that there is.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from toile.evaluation.protocols.result import Summary
from toile.evaluation.reports.table import number

WIDTH, HEIGHT = 360, 132
MARGIN = 12
FLOOR = HEIGHT - 26
"""Where bars stand."""
CEILING = 12
MOST_BINS = 32


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Maps values to the width of a plot."""

    low: float
    """The value at the left end."""
    high: float
    """The value at the right end; above `low`."""

    def place(self, value: float) -> float:
        """Where a value lies; one beyond the ends lies at the end."""
        share = (value - self.low) / (self.high - self.low)
        return MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN)


def histogram(
    values: Sequence[float | None],
    *,
    figure: Summary,
    decimals: int,
    label: str,
    mark: float | None = None,
) -> str:
    """How values are distributed: bars, the mean as a line, its interval as a band.

    Args:
        values: of the items; what is None or not finite is left out, and counted below.
        figure: their mean and its interval.
        decimals: for the numbers on the axis.
        label: what a reader that cannot see the plot is told it shows.
        mark: a value that gets a dashed line of its own, as 0 for differences.
    """
    known = np.array([v for v in values if v is not None and math.isfinite(v)], np.float64)
    if not len(known):
        return '<p class="soft">No value of this metric is finite.</p>'
    counts, axis = _binned(known, mark)
    parts = [_band(axis, figure), *_bars(axis, counts), _floor(), *_ends(axis, decimals)]
    if mark is not None:
        parts.append(_line(axis.place(mark), "mark"))
    if math.isfinite(figure.value):
        parts.append(_mean(axis, figure.value, decimals))
    left_out = len(values) - len(known)
    rest = f'<p class="soft">{left_out:,} without a finite value</p>' if left_out else ""
    return _svg("".join(parts), f"{label}: {len(known)} values, tallest bar {int(counts.max())}") + rest


def _binned(known: np.ndarray, mark: float | None) -> tuple[np.ndarray, Axis]:
    """Counts of equal bins over the values' range; around as many bins as the square root of the values."""
    low, high = float(known.min()), float(known.max())
    if mark is not None:
        low, high = min(low, mark), max(high, mark)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        half = max(abs(low) * 0.05, 1e-6)
        low, high = low - half, high + half
    bins = min(max(math.ceil(math.sqrt(len(known))), 5), MOST_BINS)
    counts, _ = np.histogram(known, bins=bins, range=(low, high))
    return counts, Axis(low=low, high=high)


def _bars(axis: Axis, counts: np.ndarray) -> list[str]:
    width = (WIDTH - 2 * MARGIN) / len(counts)
    found = []
    for place, count in enumerate(counts.tolist()):
        height = count / counts.max() * (FLOOR - CEILING - 14)
        if count:
            x, y = MARGIN + place * width + 0.5, FLOOR - height
            size = f'width="{max(width - 1, 1):.1f}" height="{height:.1f}"'
            found.append(f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" {size} rx="1.5"/>')
    return found


def _band(axis: Axis, figure: Summary) -> str:
    if math.isnan(figure.low) or math.isnan(figure.high):
        return ""
    left, right = axis.place(figure.low), axis.place(figure.high)
    size = f'width="{max(right - left, 1):.1f}" height="{FLOOR - CEILING - 4}"'
    return f'<rect class="band" x="{left:.1f}" y="{CEILING + 4}" {size}/>'


def _floor() -> str:
    return f'<line class="axis" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{FLOOR}" y2="{FLOOR}"/>'


def _line(x: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{CEILING + 4}" y2="{FLOOR}"/>'


def _mean(axis: Axis, value: float, decimals: int) -> str:
    x = axis.place(value)
    anchor = "start" if x < WIDTH / 4 else "end" if x > WIDTH * 3 / 4 else "middle"
    where = f'x="{x:.1f}" y="{CEILING}" text-anchor="{anchor}"'
    return _line(x, "mean") + f'<text class="mean" {where}>{number(value, decimals)}</text>'


def _ends(axis: Axis, decimals: int) -> list[str]:
    y = FLOOR + 16
    return [
        f'<text x="{MARGIN}" y="{y}">{number(axis.low, decimals)}</text>',
        f'<text x="{WIDTH - MARGIN}" y="{y}" text-anchor="end">{number(axis.high, decimals)}</text>',
    ]


def _svg(content: str, label: str) -> str:
    said = f'role="img" aria-label="{html.escape(label)}"'
    return f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" {said}>{content}</svg>'
