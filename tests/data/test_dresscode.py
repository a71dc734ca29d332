from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import mask, write_dresscode

from toile.data.dresscode import is_dresscode, open_dresscode
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "samples" / "dresscode-mini"


def test_three_categories(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    assert is_dresscode(tmp_path)
    pairs = open_dresscode(tmp_path, "test")
    assert [(pair.identifier, pair.category) for pair in pairs] == [
        ("upper_body/000000", "upper"),
        ("lower_body/000001", "lower"),
        ("dresses/000002", "dress"),
    ]
    assert [pair.has_mask for pair in pairs] == [False, False, True]
    assert (np.asarray(pairs[2].mask) == np.asarray(mask())).all()


def test_one_category_is_enough(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    (tmp_path / "dresses" / "test_pairs_paired.txt").unlink()
    assert {pair.category for pair in open_dresscode(tmp_path, "test")} == {"upper", "lower"}


def test_a_split_without_lists_is_refused(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    with pytest.raises(ToileError, match=r"train_pairs_paired\.txt"):
        open_dresscode(tmp_path, "train")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample photos are not beside the repository")
def test_real_sample_without_true_pairs_says_so() -> None:
    assert is_dresscode(SAMPLES)
    with pytest.raises(ToileError, match="no list of true pairs"):
        open_dresscode(SAMPLES, "test")
