import pytest

from toile.data.doll_pairs import DollPairs


def test_indices_from_both_ends_and_slices() -> None:
    pairs = DollPairs(0, 5, size=(64, 48))
    assert pairs[-5].identifier == pairs[0].identifier == "00000000"
    assert [pair.identifier for pair in pairs[3:0:-2]] == ["00000003", "00000001"]
    for index in (5, -6):
        with pytest.raises(IndexError):
            pairs[index]
