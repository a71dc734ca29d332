from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image
from tests.data.layouts import write_viton_hd

from toile.data.doll_pairs import DollPairs
from toile.data.hardness_measures import REASONS, Measures, PairView, Unmeasured, measure
from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.data.resized import resized
from toile.errors import ToileError


@pytest.fixture(scope="module")
def dolls() -> list[GarmentPair]:
    return list(DollPairs(10_200_000, 30, mode="mixed", size=(128, 96))[:])


def test_dolls_have_all_they_need_and_scores_follow_the_true_numbers(dolls):
    true = {"occlusion": [], "truncation": [], "side_view": []}
    for pair in dolls:
        measures = measure(pair)
        assert set(measures.unknown) <= {"occlusion"}  # a close-up may show neither shoulders nor hips
        if measures.unknown:
            assert measures.scores["truncation"] > 0.2
            continue
        assert 0 <= measures.hidden_detail <= 1
        assert measures.scores["mismatch"] < 0.6  # each wears its own garment
        for reason, numbers in true.items():
            numbers.append((pair.hardness[reason], measures.scores[reason]))
    for reason, numbers in true.items():
        hardest = max(numbers)[1]
        easy = sorted(measured for number, measured in numbers if number < 0.2)
        assert hardest > easy[len(easy) * 9 // 10], reason


def test_a_size_changes_scores_little(dolls):
    for pair in (pair for pair in dolls[:6] if not measure(pair).unknown):
        small, large = measure(pair).scores, measure(resized(pair, (512, 384))).scores
        for reason in REASONS:
            assert large[reason] == pytest.approx(small[reason], abs=0.06)


def test_another_garment_is_a_mismatch(dolls):
    uppers = [pair for pair in dolls if pair.category == "upper"]
    swapped = [
        replace(pair, pictures=WithGarmentOf(pair.pictures, other.pictures))
        for pair, other in pairwise(uppers)
    ]
    scores = sorted(measure(pair).scores["mismatch"] for pair in swapped)
    assert scores[len(scores) // 4] > 0.45


class WithGarmentOf:
    def __init__(self, pictures, other) -> None:
        self.pictures, self.other = pictures, other

    def __getattr__(self, name):
        return getattr(self.other if name in ("garment", "silhouette") else self.pictures, name)


def test_what_a_source_lacks_is_unknown_and_says_why(tmp_path):
    pair = open_pairs(str(write_viton_hd(tmp_path, ("a",))), split="test")[0]
    measures = measure(pair)
    assert set(measures.scores) == {"side_view", "extreme_proportion"}
    assert measures.unknown["occlusion"] == "the source has no parse map"
    assert measures.hidden_detail is None


def test_an_unpaired_photo_says_nothing_about_the_garment(dolls):
    measures = measure(replace(dolls[0], paired=False))
    assert set(measures.scores) == {"side_view", "extreme_proportion"}
    assert "another garment" in measures.unknown["mismatch"]


def test_an_empty_silhouette_is_unknown(dolls):
    class Empty:
        def __getattr__(self, name):
            return getattr(dolls[0].pictures, name)

        def silhouette(self):
            return Image.new("L", dolls[0].silhouette.size, 0)

    measures = measure(replace(dolls[0], pictures=Empty()))
    assert "silhouette is empty" in measures.unknown["side_view"]
    assert {"occlusion", "truncation"} <= set(measures.scores) and measures.hidden_detail is None


def test_a_broken_picture_is_an_error(tmp_path):
    root = write_viton_hd(tmp_path, ("a",))
    (root / "test/cloth/a.jpg").write_bytes(b"no picture")
    with pytest.raises(ToileError, match=r"a\.jpg"):
        measure(open_pairs(str(root), split="test")[0])


def test_joints_follow_the_photo_to_the_measured_size(dolls):
    large = PairView(resized(dolls[0], (512, 384)))
    small = PairView(dolls[0])
    height = large.parse.shape[0]
    assert height == 384
    assert large.corners / height == pytest.approx(small.corners / 128, abs=0.01)


@pytest.mark.parametrize("scores", [{}, dict.fromkeys(REASONS, 2.0)])
def test_measures_are_complete_and_in_range(scores):
    with pytest.raises(ToileError):
        Measures(scores=scores)


def test_unmeasured_is_no_user_s_mistake():
    assert not issubclass(Unmeasured, ToileError)
