"""Parse maps: which labels are known, and where the garment is."""

import numpy as np
import pytest
from PIL import Image

from toile.data.doctor.parse_maps import garment_region, labels_of, parse_oddities
from toile.data.parse_labels import ATR, LIP, LabelSet


@pytest.mark.parametrize(
    ("label", "label_set", "codes"),
    [
        (19, "lip", []),
        (20, "lip", ["parse-labels"]),
        (17, "atr", []),
        (18, "atr", ["parse-labels"]),
        (0, "lip", ["parse-empty"]),
        (19, None, []),
    ],
)
def test_labels(label: int, label_set: LabelSet | None, codes: list[str]) -> None:
    labels = np.array([[0, label]], np.uint8)
    assert [code for code, _ in parse_oddities(labels, label_set)] == codes


def test_colours_are_no_labels() -> None:
    assert labels_of(Image.new("RGB", (2, 2))) is None
    assert [code for code, _ in parse_oddities(None, "lip")] == ["parse-coloured"]


def test_a_dress_counts_as_upper_in_viton_hd_alone() -> None:
    lip = np.array([[LIP["upper"], LIP["dress"], LIP["skirt"]]], np.uint8)
    atr = np.array([[ATR["upper"], ATR["dress"], ATR["skirt"]]], np.uint8)
    assert garment_region(lip, "lip", "upper").tolist() == [[True, True, False]]
    assert garment_region(atr, "atr", "upper").tolist() == [[True, False, False]]
    assert garment_region(atr, "atr", "lower").tolist() == [[False, False, True]]
