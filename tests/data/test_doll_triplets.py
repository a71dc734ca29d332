import numpy as np
import pytest

from toile.data.doll_triplets import DollTriplets
from toile.dolls import draw_doll
from toile.errors import ToileError

SIZE = (128, 96)


def test_a_doll_makes_two_triplets_one_the_reverse_of_the_other():
    made = DollTriplets(20, 2, size=SIZE)
    assert len(made) == 4
    upper, lower = made[:2]
    assert upper.kinds[0] == "upper" and lower.kinds[0] == "lower"
    assert set(upper.kinds) == set(lower.kinds) == {"upper", "lower", "hat"}
    assert upper.garments[0].cut_out is False
    assert all(garment.cut_out for garment in upper.garments if garment.kind == "lower")
    assert upper.identifier == "00000020-upper" and made[-1].identifier == "00000021-lower"


def test_regions_and_captions_are_the_doll_s_own():
    doll = draw_doll(20, SIZE, "studio", "lower")
    triplet = DollTriplets(20, 1, size=SIZE)[1]
    assert triplet.caption == doll.caption
    assert (np.asarray(triplet.person) == doll.person).all()
    assert (np.asarray(triplet.garment("lower")) == doll.garments["lower"].image).all()
    for garment in triplet.garments:
        assert (np.asarray(triplet.worn(garment.kind)) == doll.garments[garment.kind].worn).all()
        assert garment.caption == doll.garments[garment.kind].caption
    assert (np.asarray(triplet.garment("upper")) != doll.garments["upper"].image).any()


def test_everything_flat_on_request():
    doll = draw_doll(20, SIZE, "studio", "upper")
    triplet = DollTriplets(20, 1, size=SIZE, others="flat")[0]
    assert not any(garment.cut_out for garment in triplet.garments)
    for kind in triplet.kinds:
        assert (np.asarray(triplet.garment(kind)) == doll.garments[kind].image).all()


def test_mixed_dolls_with_odd_seeds_are_in_the_street():
    made = DollTriplets(20, 2, size=SIZE, mode="mixed", captions="named")
    assert [triplet.source for triplet in made] == ["dolls:studio"] * 2 + ["dolls:street"] * 2
    for index, mode in ((0, "studio"), (2, "street")):
        doll = draw_doll(20 + index // 2, SIZE, mode, "upper")
        assert (np.asarray(made[index].person) == doll.person).all()
        assert made[index].caption == doll.captions["named"]


def test_what_tells_triplets_apart():
    options = ({}, {"mode": "mixed"}, {"captions": "varied"}, {"others": "flat"}, {"size": (64, 48)})
    assert len({DollTriplets(0, 2, **given).fingerprint() for given in options}) == len(options)


def test_no_dolls():
    for first, count in ((-1, 2), (0, 0)):
        with pytest.raises(ToileError, match="seeds start at 0"):
            DollTriplets(first, count)
