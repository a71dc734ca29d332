import pytest
import torch

from toile.errors import ToileError
from toile.twgtm.boxes import box_choices, choice_repaint

SIZE = (8, 6)


@pytest.mark.parametrize(
    ("given", "choices"),
    [
        (None, [None, None]),
        ("predicted", ["predicted", "predicted"]),
        ((1, 2, 3, 4), [(1, 2, 3, 4), (1, 2, 3, 4)]),
        ([1, 2, 3, 4], [(1, 2, 3, 4), (1, 2, 3, 4)]),
        ([None, (1, 2, 3, 4)], [None, (1, 2, 3, 4)]),
        (["predicted", [1, 2, 3, 4]], ["predicted", (1, 2, 3, 4)]),
    ],
)
def test_one_for_all_or_one_each(given, choices):
    assert box_choices(given, 2) == choices


def test_four_pictures_may_have_four_boxes():
    assert box_choices([None, "predicted", (0, 0, 1, 1), None], 4) == [None, "predicted", (0, 0, 1, 1), None]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("guessed", "'guessed' is none; write"),
        ([(1, 2, 3), None], r"\(1, 2, 3\) is none"),
        ([(0.5, 0, 1, 1), None], "whole pixels"),
        ([None], "1 values .* 2 items"),
        ((1, 2, 3), "3 values .* 2 items"),
    ],
)
def test_what_is_no_box_is_refused(given, message):
    with pytest.raises(ToileError, match=message):
        box_choices(given, 2)


def test_each_picture_gets_what_was_chosen_for_it():
    silhouette = torch.zeros(4, 1, *SIZE)
    silhouette[:2, :, 3:5, 1:4] = 0.6  # of the first two pictures; the others show nothing
    silhouette[:2, :, 0, 0] = 0.4
    repaint = choice_repaint(["predicted", None, "predicted", (2, 0, 4, 1)], silhouette, SIZE)
    wanted = torch.zeros(4, 1, *SIZE)
    wanted[0, :, 3:5, 1:4] = 1
    wanted[1:3] = 1
    wanted[3, :, 0, 2:4] = 1
    assert torch.equal(repaint, wanted)


def test_boxes_outside_are_refused():
    with pytest.raises(ToileError, match=r"box \(0, 0, 7, 8\)"):
        choice_repaint([(0, 0, 7, 8)], None, SIZE)
