import pickle

import numpy as np
import pytest

from toile.data.doll_pairs import DollPairs, doll_pair
from toile.dolls import draw_doll
from toile.errors import ToileError

SMALL = (64, 48)


def test_a_pair_is_its_doll() -> None:
    pair = DollPairs(7, 3, size=SMALL, mode="street")[1]
    doll = draw_doll(8, size=SMALL, mode="street")
    assert (pair.identifier, pair.category, pair.caption) == ("00000008", doll.category, doll.caption)
    for mine, true in (
        (pair.person, doll.person),
        (pair.garment, doll.garment),
        (pair.mask, doll.agnostic_mask),
        (pair.silhouette, doll.silhouette),
    ):
        assert (np.asarray(mine) == true).all()
    assert (np.asarray(pair.parse) == doll.parse).all()
    assert pair.pose is not None and (pair.pose.keypoints == doll.joints).all()
    assert pair.reasons == set(doll.hardness.labels)
    assert pair.hardness["occlusion"] == doll.hardness.occlusion


def test_the_garment_can_be_chosen() -> None:
    categories = {
        doll_pair(3, SMALL, "studio", category=name).category for name in ("upper", "lower", "dress")
    }
    assert categories == {"upper", "lower", "dress"}


def test_indexing_and_slices() -> None:
    pairs = DollPairs(20, 4, size=SMALL)
    assert len(pairs) == 4
    assert pairs[-1].identifier == "00000023"
    assert [pair.identifier for pair in pairs[1:3]] == ["00000021", "00000022"]
    assert len(list(pairs)) == 4


def test_a_pair_travels_to_a_worker() -> None:
    pair = DollPairs(5, 1, size=SMALL)[0]
    copy = pickle.loads(pickle.dumps(pair))
    assert (np.asarray(copy.garment) == np.asarray(pair.garment)).all()


def test_unpaired_dolls_are_given_the_next_ones_garment_in_their_own_category() -> None:
    pairs = DollPairs(20, 3, size=SMALL, mode="street", paired=False)
    for index, pair in enumerate(pairs):
        wearer, other = 20 + index, 20 + (index + 1) % 3
        doll = draw_doll(wearer, size=SMALL, mode="street")
        owner = draw_doll(other, size=SMALL, mode="street", category=doll.category)
        assert (pair.identifier, pair.garment_identifier) == (f"{wearer:08d}", f"{other:08d}")
        assert (np.asarray(pair.person) == doll.person).all()
        assert (np.asarray(pair.mask) == doll.agnostic_mask).all()
        assert (np.asarray(pair.garment) == owner.garment).all()
        assert (np.asarray(pair.silhouette) == owner.silhouette).all()
        assert (pair.paired, pair.reasons, pair.garment_caption) == (False, None, owner.garment_caption)


def test_one_doll_alone_cannot_be_unpaired() -> None:
    with pytest.raises(ToileError, match="at least 2"):
        DollPairs(0, 1, paired=False)
