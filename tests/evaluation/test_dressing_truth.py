import numpy as np
import pytest

from toile.evaluation.dressing_pairs import PROMPTS, SIZE, dressing_items, dressing_pairs
from toile.evaluation.dressing_truth import (
    in_others_clothes,
    true_doll,
    true_pictures,
    true_scene,
    worn_together,
)
from toile.evaluation.scene_scorer import ABSENT
from toile.evaluation.scene_scorer_task import scene_attributes

PAIRS = dressing_pairs(2, 1, hats=True)
ITEMS = dressing_items(PAIRS)


@pytest.mark.parametrize("item", ITEMS[:7], ids=lambda item: item.prompt.text)
def test_the_truth_is_as_the_prompt_says(item) -> None:
    found = scene_attributes(true_scene(item, item.pair))
    assert {name: found[name] for name in item.prompt.attributes} == dict(item.prompt.attributes)
    others = set(found) - set(item.prompt.attributes)
    assert all(found[name] == ABSENT for name in others)


def test_the_truth_wears_the_very_garments() -> None:
    doll = true_doll(ITEMS[0])
    assert set(doll.garments) == {"upper", "lower", "hat"}
    for kind, flat in ITEMS[0].pair.garments.items():
        assert doll.garments[kind].caption == flat.caption
        assert (doll.garments[kind].silhouette == flat.silhouette).all()
        assert (doll.garments[kind].worn > 0).mean() > 0.01


def test_the_same_item_is_the_same_picture() -> None:
    first, second = true_pictures(ITEMS[:2])
    assert first.size == (SIZE[1], SIZE[0])
    assert (np.array(first) == np.array(true_pictures(ITEMS[:1])[0])).all()
    assert (np.array(first) != np.array(second)).any()


def test_in_others_clothes_only_the_clothes_differ() -> None:
    item = ITEMS[0]
    own, other = true_doll(item), true_doll(item, PAIRS[1])
    assert (np.array(in_others_clothes(PAIRS)([item])[0]) == other.person).all()
    assert own.captions["unnamed"] == other.captions["unnamed"] == item.prompt.text
    ground = (own.parse == 0) & (other.parse == 0)
    differs = (own.person.astype(int) - other.person).astype(int)
    assert np.abs(differs[ground]).mean() < 2
    assert other.garments["lower"].caption == PAIRS[1].garments["lower"].caption


def test_the_last_pair_wears_the_firsts_clothes() -> None:
    item = ITEMS[len(PROMPTS)]
    assert item.pair == PAIRS[1]
    expected = true_doll(item, PAIRS[0]).person
    assert (np.array(in_others_clothes(PAIRS)([item])[0]) == expected).all()


def test_uppers_that_are_tucked_in_are_put_on_first() -> None:
    pairs = dressing_pairs(25, 2)
    orders = [[spec.category for spec in worn_together(pair)] for pair in pairs]
    tucked = [next(s for s in worn_together(pair) if s.category == "upper").tucked for pair in pairs]
    assert {True, False} == set(tucked)
    assert all((order[0] == "upper") == first for order, first in zip(orders, tucked, strict=True))
