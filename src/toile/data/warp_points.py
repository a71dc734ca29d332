"""An exact warp at the resolution of latents, in both directions.

Legend: `H W` pixels, `h w` latent pixels.
"""

import numpy as np
from jaxtyping import Float32

Points = Float32[np.ndarray, "H W 2"]
"""For each pixel x, y of the same point in another picture, in [0, 1] of its sides; NaN where none is."""


def unknown_points(cells: tuple[int, int]) -> Float32[np.ndarray, "h w 2"]:
    """What is known of a pair without a warp."""
    return np.full((*cells, 2), np.nan, np.float32)


def points_in_cells(
    points: Points | None, size: tuple[int, int], cells: tuple[int, int], *, back: bool = False
) -> Float32[np.ndarray, "h w 2"]:
    """The points of (h, w) cells of a picture fitted to `size`, or, with `back`, of the other picture.

    Nothing is known of pairs without points, nor of pictures of another size, which have to be padded.
    """
    if points is None or points.shape[:2] != size:
        return unknown_points(cells)
    return inverted_points(points, cells) if back else sampled_points(points, cells)


def sampled_points(points: Points, cells: tuple[int, int]) -> Float32[np.ndarray, "h w 2"]:
    """The points in the middle of each of (h, w) cells; `cells` divides the picture's sides."""
    rows, columns = (side // count for side, count in zip(points.shape, cells, strict=False))
    return points[rows // 2 :: rows, columns // 2 :: columns]


def inverted_points(points: Points, cells: tuple[int, int]) -> Float32[np.ndarray, "h w 2"]:
    """The way back: for each of (h, w) cells of the other picture, the pixel that goes nearest to its middle.

    A cell that no pixel goes to has no point.
    """
    height, width = cells
    row, column = np.nonzero(~np.isnan(points).any(axis=-1))
    place = points[row, column] * np.array([width, height], np.float32)  # (n 2), in cells
    cell = np.floor(place).clip(0, np.array([width - 1, height - 1])).astype(np.int64)
    distance = np.square(place - (cell + 0.5)).sum(axis=-1)
    furthest_first = np.argsort(-distance, kind="stable")  # of several, the last one written stays
    back = np.stack([(column + 0.5) / points.shape[1], (row + 0.5) / points.shape[0]], axis=-1)
    found = unknown_points(cells)
    x, y = cell[furthest_first].T
    found[y, x] = back[furthest_first]
    return found
