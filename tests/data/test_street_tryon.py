from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import labels, picture, write_street_tryon

from toile.data.open import open_pairs
from toile.data.parse_labels import LIP
from toile.data.street_tryon import is_street_tryon, open_street_tryon
from toile.errors import ToileError

LIST = "annotations/street2street_test_pairs_top.csv"


def test_the_published_pairs(tmp_path: Path) -> None:
    write_street_tryon(tmp_path)
    assert is_street_tryon(tmp_path)
    first, second = open_pairs(str(tmp_path), split="test", paired=False)
    assert (first.identifier, first.garment_identifier) == ("000001", "000002")
    assert (second.identifier, second.garment_identifier) == ("000002", "000001")
    assert (first.category, first.paired, first.has_mask) == ("upper", False, False)
    assert first.pose is None
    assert first.mask.getextrema() == (255, 255)


def test_the_garment_is_cut_from_the_photo_that_shows_it(tmp_path: Path) -> None:
    write_street_tryon(tmp_path)
    pair = open_street_tryon(tmp_path, "test")[0]
    worn = np.asarray(labels()) == 4
    assert (np.asarray(pair.silhouette) == worn * 255).all()
    assert (np.asarray(pair.garment)[~worn] == 255).all()
    difference = np.asarray(pair.garment)[worn].astype(int) - np.asarray(picture(1))[worn]
    assert abs(difference).mean() < 60  # the photo is a JPEG of noise
    assert pair.parse is not None
    assert set(np.unique(np.asarray(pair.parse))) == {
        0,
        LIP["upper"],
        LIP["trousers"],
    }  # a belt is no garment


def test_without_a_parse_map_the_whole_photo_shows_the_garment(tmp_path: Path) -> None:
    write_street_tryon(tmp_path)
    (tmp_path / "validation" / "segm" / "000002.png").unlink()
    pair = open_street_tryon(tmp_path, "test")[0]
    assert pair.silhouette.getextrema() == (255, 255)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    write_street_tryon(tmp_path)
    with pytest.raises(ToileError, match="paired=False"):
        open_pairs(str(tmp_path), split="test")
    with pytest.raises(ToileError, match="open the split 'test'"):
        open_street_tryon(tmp_path, "train")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\n0,a.jpg\n", "line 2, has 2 columns"),
        ("a\n0,../a.jpg,b.jpg\n", "leads out"),
        ("a\n0,000001.jpg,gone.jpg\n", "person picture is missing"),
    ],
)
def test_damaged_lists(tmp_path: Path, content: str, message: str) -> None:
    write_street_tryon(tmp_path)
    (tmp_path / LIST).write_text(content)
    with pytest.raises(ToileError, match=message):
        open_street_tryon(tmp_path, "test")
