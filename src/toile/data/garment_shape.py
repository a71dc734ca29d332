"""How a flat garment lies in its picture, from its silhouette: turned aside, small, narrow or wide."""

import numpy as np
from jaxtyping import Bool

EDGE_ON_SLOPE = 0.17
"""Ours: a silhouette that is sheared this much counts as fully turned; flat front views stay below half."""
EDGE_ON_ASYMMETRY = 0.5
"""Ours: so does one that shares no more than this with its mirror image."""
USUAL_FILL = 0.85
"""Ours: shops let a garment fill this share of its picture's height or width, or more."""
NARROWEST = 0.45
"""Ours: width over height of the narrowest garments that count as usual (long dresses, trousers)."""
WIDEST = 2.2
"""Ours: width over height of the widest ones (cropped tops with spread sleeves)."""


def cut_out(silhouette: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "h w"]:
    """The silhouette within its bounding box; without any pixel when nothing is set."""
    rows, columns = np.flatnonzero(silhouette.any(axis=1)), np.flatnonzero(silhouette.any(axis=0))
    if not len(rows):
        return silhouette[:0, :0]
    return silhouette[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def slope(silhouette: Bool[np.ndarray, "H W"]) -> float:
    """How much the silhouette is sheared: vertical shift per horizontal distance, cov(x, y) / var(x).

    A garment seen from the front is symmetric, so that x and y do not vary together; a camera that looks from
    the side lets one half rise and the other sink.
    """
    if not silhouette.any():
        return 0.0
    y, x = (axis - axis.mean() for axis in np.nonzero(silhouette))
    spread = float((x * x).sum())
    return abs(float((x * y).sum())) / spread if spread else 0.0


def asymmetry(silhouette: Bool[np.ndarray, "H W"]) -> float:
    """1 − IoU of the silhouette and its mirror image about the middle of its bounding box, in [0, 1]."""
    shape = cut_out(silhouette)
    together = np.count_nonzero(shape | shape[:, ::-1])
    return 1 - np.count_nonzero(shape & shape[:, ::-1]) / together if together else 0.0


def side_view(silhouette: Bool[np.ndarray, "H W"]) -> float:
    """How far the flat garment is turned away from a front view: 0 front, 1 edge-on.

    Ours: IGR's Fig. 2 shows the defect and its Sec. 3.4 removes it by hand.
    """
    return min(1.0, max(slope(silhouette) / EDGE_ON_SLOPE, asymmetry(silhouette) / EDGE_ON_ASYMMETRY))


def extreme_proportion(silhouette: Bool[np.ndarray, "H W"]) -> float:
    """How far the garment's size in its picture, or its aspect, leaves the usual: 0 usual, towards 1 extreme.

    Ours: as above.
    """
    height, width = cut_out(silhouette).shape
    if not height:
        return 1.0
    fill = max(height / silhouette.shape[0], width / silhouette.shape[1])
    aspect = width / height
    return 1 - float(min(1.0, fill / USUAL_FILL, aspect / NARROWEST, WIDEST / aspect))


def torso_box(silhouette: Bool[np.ndarray, "H W"]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom (exclusive) of the garment without its sleeves.

    The width is the median, over the lower half's rows, of the run of pixels around the middle; sleeves that
    hang beside the body lie beyond a gap.
    """
    rows, columns = np.flatnonzero(silhouette.any(axis=1)), np.flatnonzero(silhouette.any(axis=0))
    middle = int(columns[0] + columns[-1]) // 2
    lower = rows[len(rows) // 2 : max(len(rows) * 95 // 100, len(rows) // 2 + 1)]
    runs = [_run_around(silhouette[row], middle) for row in lower if silhouette[row, middle]]
    if not runs:
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    left, right = np.median(runs, axis=0)
    return int(left), int(rows[0]), int(right), int(rows[-1]) + 1


def _run_around(row: Bool[np.ndarray, " W"], middle: int) -> tuple[int, int]:
    """First and last (exclusive) column of the run of set pixels that holds `middle`."""
    gaps = np.flatnonzero(~row)
    place = int(np.searchsorted(gaps, middle))
    left = int(gaps[place - 1]) + 1 if place else 0
    return left, int(gaps[place]) if place < len(gaps) else len(row)
