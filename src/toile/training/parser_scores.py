"""How well parse maps agree: intersections over unions, from counts of pixels.

L: labels.
"""

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from toile.data.parse_labels import GARMENT_LABELS, LIP


def confusion(
    true: UInt8[np.ndarray, "*shape"], found: UInt8[np.ndarray, "*shape"]
) -> Int64[np.ndarray, "L L"]:
    """How many pixels of each true label (rows) were given each label (columns)."""
    pairs = true.astype(np.int64) * len(LIP) + found
    return np.bincount(pairs.flatten(), minlength=len(LIP) ** 2).reshape(len(LIP), len(LIP))


def label_iou(counts: Int64[np.ndarray, "L L"]) -> Float64[np.ndarray, " L"]:
    """Intersection over union of each label; NaN for labels that never truly occur."""
    both, true, found = np.diag(counts), counts.sum(1), counts.sum(0)
    return np.where(true > 0, both / np.maximum(true + found - both, 1), np.nan)


def garment_iou(counts: Int64[np.ndarray, "L L"], kind: str) -> float:
    """Intersection over union of a kind of garment, whatever its label; NaN where none was worn or found."""
    labels = sorted(GARMENT_LABELS[kind])
    both = counts[np.ix_(labels, labels)].sum()
    union = counts[labels].sum() + counts[:, labels].sum() - both
    return float(both / union) if union else float("nan")
