import numpy as np
import pytest

from toile.data.doll_pairs import doll_pair
from toile.errors import ToileError
from toile.twgtm.regions import REGIONS, default_region


def marked(category: str, size: tuple[int, int]) -> np.ndarray:
    mask = default_region(category, size)
    assert mask.mode == "L" and mask.size == (size[1], size[0])
    assert set(np.unique(np.asarray(mask))) <= {0, 255}
    return np.asarray(mask) > 0


@pytest.mark.parametrize("category", ["upper", "lower", "dress"])
def test_the_place_of_a_garment_is_marked_and_never_the_whole_person(category):
    region = marked(category, (128, 96))
    covered = []
    for seed in range(6):
        worn = np.asarray(doll_pair(seed, (128, 96), "studio", category).mask) > 0
        covered.append((region & worn).sum() / worn.sum())
    assert np.mean(covered) > 0.8
    assert region.mean() < 0.6
    assert not region[: round(0.17 * 128)].any()  # the head
    assert not region[round(0.97 * 128) :].any()  # the feet


def test_by_hand():
    region = marked("lower", (200, 100))
    rows, columns = np.nonzero(region)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (22, 56, 79, 192)
    assert region.sum() == (79 - 22) * (192 - 56)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1000, 2)])
@pytest.mark.parametrize("category", list(REGIONS))
def test_even_the_smallest_photo_has_a_place(category, size):
    assert marked(category, size).any()


def test_an_unknown_category():
    with pytest.raises(ToileError, match="'shoe' is unknown; write one of upper, lower, dress"):
        default_region("shoe", (10, 10))
