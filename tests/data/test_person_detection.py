from pathlib import Path

import pytest
import torch
from tests.data.layouts import picture
from tests.data.small_networks import detector, segformer

from toile.data.person_detection import PersonDetector, main_box
from toile.errors import ToileError


def test_the_largest_certain_person_is_taken() -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.25, 0.5, 0.5, 1.2], [0.5, 0.5, 1.0, 1.0]])
    assert main_box(boxes, torch.tensor([0.9, 0.5, 0.1]), (200, 100)) == pytest.approx((0, 0, 100, 100))
    assert main_box(boxes, torch.tensor([0.9, 0.1, 0.1]), (200, 100)) == pytest.approx((80, 30, 120, 70))
    assert main_box(boxes, torch.tensor([0.1, 0.1, 0.1]), (200, 100)) is None


def test_a_saved_rt_detr_finds_what_it_finds(tmp_path: Path) -> None:
    model = detector(tmp_path)
    mine = PersonDetector.from_pretrained(tmp_path)
    photos = [picture(1), picture(2, (80, 40))]
    assert mine.person == 0
    pixels = mine.processor.pixels([mine.processor.squeezed(photo) for photo in photos])
    assert float(pixels.min()) >= 0 and float(pixels.max()) <= 1  # RT-DETR is not shown normalised photos
    with torch.no_grad():
        output = model(pixel_values=pixels)
    scores = output.logits.sigmoid()[..., 0]
    expected = [main_box(output.pred_boxes[i], scores[i], photos[i].size) for i in range(2)]
    found = mine(photos)
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        assert one is None or one == pytest.approx(other, abs=1e-2)
    assert mine([]) == []


def test_other_models_are_refused(tmp_path: Path) -> None:
    detector(tmp_path / "cars", names=("car", "bus"))
    with pytest.raises(ToileError, match="no label 'person'"):
        PersonDetector.from_pretrained(tmp_path / "cars")
    segformer(tmp_path / "segformer")
    with pytest.raises(ToileError, match="is a segformer; give an RT-DETR"):
        PersonDetector.from_pretrained(tmp_path / "segformer")
