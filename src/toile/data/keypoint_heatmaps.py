"""From a person's box to a network's input, and from its heatmaps back to points in the photo.

The geometry is UDP's (Huang et al., The Devil is in the Details, CVPR 2020): lengths are counted between the
centres of pixels, n - 1 for n of them. K: keypoints.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

PersonBox = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
MARGIN = 1.25
"""A window is so many times as large as the person's box. Source: ViTPose's processor in transformers."""
BLUR_KERNEL, BLUR_DEVIATION = 11, 0.8
"""Heatmaps are smoothed with this Gaussian before they are refined. Source: the same."""
SMALLEST, LARGEST = 1e-3, 50.0
"""Heatmap values are kept within these before the logarithm."""


def person_window(box: PersonBox, size: tuple[int, int]) -> PersonBox:
    """The window of the photo that a network of `size` (height, width) looks at: wider than the box."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    aspect = size[1] / size[0]
    width, height = MARGIN * max(width, aspect * height), MARGIN * max(height, width / aspect)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def cut_window(
    photo: UInt8[np.ndarray, "H W 3"], window: PersonBox, size: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """The window resampled to `size` (height, width); black where it leaves the photo."""
    height, width = size
    left, top, right, bottom = window
    scale_x, scale_y = (width - 1) / (right - left), (height - 1) / (bottom - top)
    matrix = np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])
    return np.asarray(cv2.warpAffine(photo, matrix, (width, height), flags=cv2.INTER_LINEAR), np.uint8)


def locate(heatmaps: Float32[np.ndarray, "K h w"], window: PersonBox) -> Float32[np.ndarray, "K 3"]:
    """Where each heatmap peaks: x and y in pixels of the photo, and the peak's height in [0, 1].

    The peak is refined below a cell by one Newton step on the smoothed logarithm.

    Source: DARK (Zhang et al., Distribution-Aware Coordinate Representation, CVPR 2020), Eq. 9.
    """
    count, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, -1)
    rows, columns = np.divmod(flat.argmax(axis=1), width)
    cells = np.stack([columns, rows], axis=1).astype(np.float64)
    shifts = [
        _newton_shift(heatmap, int(row), int(column))
        for heatmap, row, column in zip(heatmaps, rows, columns, strict=True)
    ]
    left, top, right, bottom = window
    scale = (right - left) / (width - 1), (bottom - top) / (height - 1)
    points = (cells + np.stack(shifts)) * scale + (left, top)
    return np.concatenate([points, flat.max(axis=1)[:, None].clip(0, 1)], axis=1).astype(np.float32)


def _newton_shift(heatmap: Float32[np.ndarray, "h w"], row: int, column: int) -> Float64[np.ndarray, "2"]:
    """-H⁻¹ g of the logarithm at a peak, (x, y), H its second and g its first derivatives."""
    smooth = cv2.GaussianBlur(
        heatmap, (BLUR_KERNEL, BLUR_KERNEL), BLUR_DEVIATION, borderType=cv2.BORDER_REFLECT
    )
    around = np.pad(np.log(np.clip(smooth, SMALLEST, LARGEST)).astype(np.float64), 1, mode="edge")
    near = around[row : row + 3, column : column + 3]  # (y, x), the peak in the middle
    middle = near[1, 1]
    gradient = np.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
    xx = near[1, 2] - 2 * middle + near[1, 0]
    yy = near[2, 1] - 2 * middle + near[0, 1]
    xy = (near[2, 2] - near[1, 2] - near[2, 1] + 2 * middle - near[1, 0] - near[0, 1] + near[0, 0]) / 2
    curvature = np.array([[xx, xy], [xy, yy]]) + np.finfo(np.float32).eps * np.eye(2)
    return np.asarray(-np.linalg.solve(curvature, gradient), np.float64)
