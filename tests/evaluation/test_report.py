import pytest
import torch
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.report import Report, category_batches, check_not_empty, stacked

REPORT = Report(
    size=(64, 48),
    higher_is_better={"up": True, "down": False},
    identifiers={"studio": [str(i) for i in range(8)]},
    values={
        "studio": {
            "good": {"up": [0.8 + 0.01 * i for i in range(8)], "down": [0.1] * 8},
            "bad": {"up": [0.3 + 0.01 * i for i in range(8)], "down": [0.1 + 0.01 * i for i in range(8)]},
        }
    },
)


def test_means_and_differences() -> None:
    assert REPORT.interval("studio", "good", "up").mean == pytest.approx(0.835)
    assert REPORT.difference("studio", "good", "bad", "up").mean == pytest.approx(0.5)


def test_beating_follows_the_metrics_direction() -> None:
    for metric in ("up", "down"):
        assert REPORT.beats("studio", "good", "bad", metric)
        assert not REPORT.beats("studio", "bad", "good", metric)
        assert not REPORT.beats("studio", "good", "good", metric)


def test_batches_hold_one_category_and_everything_once() -> None:
    found = list(category_batches(["dress", "upper", "dress", "upper", "upper"], 2))
    assert found == [[1, 3], [4], [0, 2]]


def test_pictures_are_stacked_in_order() -> None:
    pictures = [Image.new("RGB", (3, 2), (51 * i, 0, 255)) for i in range(2)]
    found = stacked(pictures, 2, (2, 3), "x")
    assert found.shape == (2, 3, 2, 3)
    assert torch.allclose(found[1, :, 0, 0], torch.tensor([0.2, 0, 1]))


def test_wrong_pictures_and_nothing_to_do_are_refused() -> None:
    pictures = [Image.new("RGB", (3, 2))]
    with pytest.raises(ToileError, match="x gave 1 pictures for 2"):
        stacked(pictures, 2, (2, 3), "x")
    with pytest.raises(ToileError, match=r"x gave a picture of \(3, 2\)"):
        stacked(pictures, 1, (3, 2), "x")
    for methods, items in (({}, {"a": [1]}), ({"x": 1}, {}), ({"x": 1}, {"a": []})):
        with pytest.raises(ToileError, match="nothing to evaluate"):
            check_not_empty(methods, items)
