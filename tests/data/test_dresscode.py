from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.data.layouts import mask, save, write_dresscode

from toile.data.dresscode import is_dresscode, open_dresscode
from toile.data.parse_labels import ATR, LIP, to_lip
from toile.dolls.draw import draw_doll
from toile.dolls.layouts import dresscode_labels
from toile.dolls.writers import DatasetSettings, write_dataset
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


def test_real_sample_has_unpaired_ones() -> None:
    if not SAMPLES.is_dir():
        pytest.skip("the sample photos are not beside the repository")
    pairs = open_dresscode(SAMPLES, "test", paired=False)
    assert {pair.category for pair in pairs} == {"upper", "lower", "dress"}
    assert (pairs[0].identifier, pairs[0].garment_identifier) == ("upper_body/049205", "upper_body/048554")
    assert pairs[0].person.size == pairs[0].garment.size == (768, 1024)


def test_dolls_are_read_back_whole(tmp_path: Path) -> None:
    write_dataset(
        DatasetSettings(out=tmp_path, count=8, layout="dresscode", split="test", size=(64, 48)),
        progress=False,
    )
    pairs = {pair.identifier: pair for pair in open_dresscode(tmp_path, "test")}
    assert len(pairs) == 8
    for identifier, pair in pairs.items():
        doll = draw_doll(int(identifier.rpartition("/")[2]), (64, 48))
        assert pair.category == doll.category
        assert (np.asarray(pair.parse) == to_lip(dresscode_labels(doll.parse), "atr")).all()
        seen = doll.joints[:, 2] > 0
        assert pair.pose is not None and np.allclose(
            pair.pose.keypoints[seen, :2], doll.joints[seen, :2], atol=0.01
        )
        assert (pair.caption, pair.reasons) == (doll.caption, set(doll.hardness.labels))
    swapped = open_dresscode(tmp_path, "test", paired=False)
    assert swapped and not any(pair.paired for pair in swapped)
    for pair in swapped:
        other = pairs[pair.garment_identifier]
        assert other.category == pair.category
        assert (np.asarray(pair.garment) == np.asarray(other.garment)).all()
        assert pair.garment_caption == other.garment_caption
        assert (np.asarray(pair.person) == np.asarray(pairs[pair.identifier].person)).all()


def test_one_list_in_the_root_for_all_categories(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    for path in tmp_path.glob("*/test_pairs_paired.txt"):
        path.unlink()
    path = tmp_path / "test_pairs_paired.txt"
    path.write_text("000002_0.jpg\t000002_1.jpg\t2\n000000_0.jpg\t000000_1.jpg\t0\n")
    found = [pair.identifier for pair in open_dresscode(tmp_path, "test")]
    assert found == ["upper_body/000000", "dresses/000002"]
    path.write_text("000002_0.jpg 000002_1.jpg\n")
    with pytest.raises(ToileError, match="ends each row with"):
        open_dresscode(tmp_path, "test")


def test_a_belt_belongs_to_the_trousers(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    parse = np.full((64, 48), ATR["belt"], np.uint8)
    save(Image.fromarray(parse), tmp_path / "lower_body" / "label_maps" / "000001_4.png")
    pair = open_dresscode(tmp_path, "test")[1]
    assert (np.asarray(pair.parse) == LIP["trousers"]).all()


def test_names_that_lead_out_are_refused(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    path = tmp_path / "dresses" / "test_pairs_paired.txt"
    path.write_text("000002_0.jpg ../../000002_1.jpg\n")
    with pytest.raises(ToileError, match=r"test_pairs_paired\.txt names the file .*leads out"):
        open_dresscode(tmp_path, "test")
