import numpy as np
import pytest

from toile.data.parse_labels import LIP
from toile.training.parser_scores import confusion, garment_iou, label_iou


def test_figures() -> None:
    counts = np.zeros((20, 20), np.int64)
    upper, coat, dress = LIP["upper"], LIP["coat"], LIP["dress"]
    counts[upper, upper], counts[upper, coat], counts[dress, upper] = 6, 2, 4
    assert garment_iou(counts, "upper") == pytest.approx(8 / 12)  # a coat is an upper garment too
    assert garment_iou(counts, "dress") == 0
    assert np.isnan(garment_iou(counts, "hat"))
    found = label_iou(counts)
    assert found[upper] == pytest.approx(6 / 12)
    assert found[dress] == 0 and np.isnan(found[coat])  # a coat that nobody wears is no label to average


def test_confusion_counts_pixels() -> None:
    true, found = np.array([[0, 5]], np.uint8), np.array([[5, 5]], np.uint8)
    counts = confusion(true, found)
    assert counts[0, 5] == counts[5, 5] == 1 and counts.sum() == 2
