import numpy as np
import pytest
from tests.data.small_networks import ATR_NAMES

from toile.data.parse_labels import ATR, GARMENT_LABELS, LIP, WITHOUT_LIP, to_lip
from toile.dolls import CATEGORIES, draw_doll
from toile.dolls.layouts import DRESSCODE_LABELS
from toile.dolls.masks import LIP as DOLLS_LIP
from toile.errors import ToileError


def test_both_sets_number_their_labels_without_a_gap() -> None:
    assert sorted(LIP.values()) == list(range(20))
    assert sorted(ATR.values()) == list(range(18))


def test_atr_is_as_published() -> None:
    plain = [name.lower().replace("-", " ") for name in ATR_NAMES]
    ours = {"upper": "upper clothes", "trousers": "pants"}
    assert [ours.get(name, name) for name in ATR] == plain


def test_dolls_speak_the_same_labels() -> None:
    assert DOLLS_LIP.items() <= LIP.items()
    assert all(ATR[name] == number for name, number in DRESSCODE_LABELS.items() if name != "torso skin")


def test_atr_becomes_lip_by_name() -> None:
    parse = np.arange(18, dtype=np.uint8).reshape(3, 6)
    found = to_lip(parse, "atr").flatten()
    for name, number in ATR.items():
        assert found[number] == LIP[WITHOUT_LIP.get(name, name)]


def test_lip_stays() -> None:
    parse = np.arange(20, dtype=np.uint8).reshape(4, 5)
    assert (to_lip(parse, "lip") == parse).all()


def test_labels_that_a_set_lacks_are_refused() -> None:
    with pytest.raises(ToileError, match="holds the label 19, and ATR ends at 17"):
        to_lip(np.full((2, 2), 19, np.uint8), "atr")


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_dolls_garment_has_its_kinds_labels(category: str) -> None:
    doll = draw_doll(5, size=(64, 48), category=category)  # type: ignore[arg-type]
    worn = set(np.unique(doll.parse[doll.garments[category].worn > 0]))
    assert worn
    assert worn <= GARMENT_LABELS[category]
