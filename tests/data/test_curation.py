from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.data.layouts import garment
from tests.data.test_curation_file import curation, row
from tests.data.test_record import make

from toile.data.curation import CuratedPairs, FairPictures, bounding_box, curated, with_fair_proportion
from toile.data.curation_file import decisions_path, write_curation
from toile.data.doll_pairs import DollPairs
from toile.data.picture_files import silhouette_of
from toile.data.review_decisions import Decisions
from toile.errors import ToileError


def test_hard_pairs_are_left_out() -> None:
    labels = [set(), {"occlusion"}, {"extreme_proportion"}, {"truncation", "side_view"}]
    assert curated([make(reasons=frozenset(found)) for found in labels]) == [0, 2]


def test_unlabelled_pairs_are_refused() -> None:
    with pytest.raises(ToileError, match="no label"):
        curated([make()])


def test_a_file_says_which_pairs_to_keep_and_decisions_overrule_it(tmp_path):
    pairs, path = DollPairs(0, 5, size=(64, 48)), tmp_path / "curation.jsonl"
    rows = [
        replace(row(index, keep=index != 3, identifier=pair.identifier), category=pair.category)
        for index, pair in enumerate(pairs[:])
    ]
    rows[1] = replace(rows[1], reasons=frozenset({"extreme_proportion"}))
    write_curation(curation(*rows), path)
    chosen = CuratedPairs(pairs, (64, 48), pad_extremes=True, curation=path)
    assert chosen.rows == [0, 1, 2, 4]
    assert isinstance(chosen[1].pictures, FairPictures) and not isinstance(chosen[0].pictures, FairPictures)
    log = Decisions(decisions_path(path))
    log.decide(rows[0].key, "drop")
    log.decide(rows[3].key, "keep")
    again = CuratedPairs(pairs[2:], (64, 48), pad_extremes=False, curation=path)
    assert [pair.identifier for pair in again] == [rows[place].identifier for place in (2, 3, 4)]


def test_a_file_about_other_pairs_is_refused(tmp_path):
    pairs, path = DollPairs(0, 2, size=(64, 48)), tmp_path / "curation.jsonl"
    write_curation(curation(row(0), row(1)), path)
    with pytest.raises(ToileError, match="says nothing of '00000000'"):
        CuratedPairs(pairs, (64, 48), pad_extremes=True, curation=path)
    rows = [
        replace(row(0, keep=False, identifier=pair.identifier), category=pair.category) for pair in pairs[:]
    ]
    write_curation(curation(*rows), path)
    with pytest.raises(ToileError, match="keeps none"):
        CuratedPairs(pairs, (64, 48), pad_extremes=True, curation=path)


def test_dolls_have_labels() -> None:
    pairs = DollPairs(0, 24, size=(64, 48), mode="street")
    kept = curated(pairs)
    assert 0 < len(kept) < len(pairs)


def test_bounding_box() -> None:
    mask = np.zeros((10, 8), dtype=np.uint8)
    assert bounding_box(mask) is None
    mask[2:5, 3:8] = 255
    assert bounding_box(mask) == (3, 2, 8, 5)


def test_a_small_garment_fills_the_canvas_with_its_own_aspect() -> None:
    picture = Image.new("RGB", (96, 128), "white")
    picture.paste((200, 0, 0), (10, 20, 20, 60))  # 10 wide, 40 high: a quarter
    fair, shape = with_fair_proportion(picture, silhouette_of(picture), (128, 96), margin=0.0625)
    left, top, right, bottom = bounding_box(np.asarray(shape)) or (0, 0, 0, 0)
    assert (fair.size, shape.size) == ((96, 128), (96, 128))
    assert (top, bottom) == (8, 120)
    assert (right - left) / (bottom - top) == pytest.approx(1 / 4, abs=0.02)
    assert left == pytest.approx(96 - right, abs=1)
    assert (np.asarray(fair)[np.asarray(shape) == 0] == 255).all()
    assert np.asarray(fair)[64, 48].tolist() == [200, 0, 0]


def test_an_empty_silhouette_is_refused() -> None:
    with pytest.raises(ToileError, match="silhouette is empty"):
        with_fair_proportion(garment(0), Image.new("L", garment(0).size), (64, 48))


def test_curated_pairs_mend_extreme_proportions_only():
    pairs = DollPairs(0, 200, size=(64, 48))
    narrow = next(i for i in range(200) if pairs[i].reasons == frozenset({"extreme_proportion"}))
    around = pairs[narrow - 2 : narrow + 3]
    mended = CuratedPairs(around, (64, 48), pad_extremes=True)
    left = CuratedPairs(around, (64, 48), pad_extremes=False)
    place = left.rows.index(2)
    assert mended.rows == left.rows == [i for i, pair in enumerate(around) if not pair.hard]
    assert np.asarray(mended[place].silhouette).mean() > np.asarray(left[place].silhouette).mean()
    np.testing.assert_array_equal(np.asarray(mended[place].person), np.asarray(left[place].person))
