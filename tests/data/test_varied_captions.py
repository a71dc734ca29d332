from collections import Counter

from toile.data.doll_pairs import DollPairs
from toile.data.fingerprint import fingerprint
from toile.data.varied_captions import VariedCaptions, telling_of


def test_each_telling_has_a_third_of_either_mode():
    for mode in (0, 1):
        told = Counter(telling_of(seed) for seed in range(1_000_000 + mode, 1_000_600, 2))
        assert set(told.values()) == {100}


def test_dolls_are_told_by_their_seeds():
    pairs = DollPairs(0, 6, mode="mixed", size=(64, 48))
    varied = VariedCaptions(pairs)
    for index in range(6):
        pair, told = pairs[index], varied[index]
        captions = pair.pictures.doll.captions
        assert told.caption == captions[telling_of(index)]
        assert told.garment_caption == pair.garment_caption
    assert len({fingerprint(pairs), fingerprint(varied)}) == 2


def test_other_pairs_stay_as_they_are():
    pairs = DollPairs(0, 2, size=(64, 48), paired=False)
    assert VariedCaptions(pairs)[0] == pairs[0]
