from dataclasses import replace

import numpy as np
import pytest

from toile.dolls.captions import describe_person
from toile.dolls.draw import draw_doll
from toile.errors import ToileError
from toile.evaluation.dressing_pairs import (
    PROMPTS,
    SIZE,
    control_seeds,
    dressing_items,
    dressing_pairs,
    flat_picture,
    garment_spec,
)
from toile.evaluation.dressing_truth import true_scene
from toile.evaluation.scene_scorer import ARMS, ATTRIBUTES

FIRST_UNSEEN = 10_000_000


def test_the_list_is_frozen() -> None:
    pairs = dressing_pairs()
    assert len(pairs) == 250
    assert (pairs[0].identifier, dict(pairs[0].seeds)) == (
        "lower-00-upper-00",
        {"upper": 12_100_000, "lower": 12_000_000},
    )
    assert (pairs[-1].identifier, dict(pairs[-1].seeds)) == (
        "lower-24-upper-09",
        {"upper": 12_124_009, "lower": 12_000_024},
    )


def test_every_lower_garment_has_its_own_upper_ones() -> None:
    pairs = dressing_pairs(hats=True)
    assert len({pair.seeds["upper"] for pair in pairs}) == len(pairs) == len({p.identifier for p in pairs})
    assert len({pair.seeds["lower"] for pair in pairs}) == 25
    assert all(set(pair.seeds) == {"upper", "lower", "hat"} for pair in pairs)


def test_nothing_was_trained_on_and_controls_belong_to_no_pair() -> None:
    used = {(kind, seed) for pair in dressing_pairs(hats=True) for kind, seed in pair.seeds.items()}
    controls = {(kind, seed) for kind in ("upper", "lower", "hat") for seed in control_seeds(kind)}
    assert not used & controls
    assert min(seed for _, seed in used | controls) >= FIRST_UNSEEN
    assert min(item.seed for item in dressing_items(dressing_pairs(2, 1))) >= FIRST_UNSEEN


def test_a_part_of_the_list_has_different_garments_first() -> None:
    part = dressing_pairs()[:25]
    assert len({pair.seeds["lower"] for pair in part}) == 25
    assert dressing_pairs(3, 2)[:3] == tuple(dressing_pairs()[n] for n in range(3))


def test_items_are_told_apart() -> None:
    items = dressing_items(dressing_pairs())
    assert len(items) == 1750 == len({item.seed for item in items}) == len({i.identifier for i in items})
    assert [item.number for item in dressing_items(dressing_pairs(2, 1), 3)] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(("lowers", "uppers"), [(0, 1), (1, 0), (1, 501)])
def test_impossible_lists_are_refused(lowers: int, uppers: int) -> None:
    with pytest.raises(ToileError, match="are no list"):
        dressing_pairs(lowers, uppers)


def test_impossible_prompts_are_refused() -> None:
    with pytest.raises(ToileError, match="8 prompts"):
        dressing_items(dressing_pairs(1, 1), 8)


def test_prompts_speak_as_captions_do() -> None:
    """A scene with a prompt's attributes is described by that very prompt."""
    for item in dressing_items(dressing_pairs(1, 1)):
        scene = true_scene(item, item.pair)
        assert describe_person(scene, "unnamed") == item.prompt.text
        worn = [spec.category for spec in scene.garments]
        captions = [item.pair.garments[kind].caption for kind in ("upper", "lower") if kind in worn]
        assert describe_person(scene, "described") == item.prompt.described(captions)


def test_prompts_ask_for_what_the_scorer_knows() -> None:
    for prompt in PROMPTS:
        assert all(value in ATTRIBUTES[name] for name, value in prompt.attributes.items())
    named = {name for prompt in PROMPTS for name in prompt.attributes}
    assert named > {"place", "noun", "hair", "hair colour", "bag"}
    assert named & set(ARMS) == {"akimbo", "raised"}
    assert len({prompt.text for prompt in PROMPTS}) == 7


@pytest.mark.parametrize("kind", ["upper", "lower"])
def test_flat_pictures_are_the_dolls_own(kind: str) -> None:
    seed = dressing_pairs(1, 1)[0].seeds[kind]
    doll = draw_doll(seed, size=SIZE, category=kind)
    flat = flat_picture(kind, seed)
    assert (np.array(flat.picture) == doll.garment).all()
    assert (flat.silhouette == doll.silhouette).all()
    assert flat.caption == doll.garment_caption


def test_every_hat_seed_has_a_hat() -> None:
    pair = dressing_pairs(1, 1, hats=True)[0]
    assert garment_spec("hat", pair.seeds["hat"]).category == "hat"
    flat = pair.garments["hat"]
    assert 0.02 < (flat.silhouette > 0).mean() < 0.6
    assert (np.array(flat.picture)[flat.silhouette == 0] == 255).all()


def test_pairs_are_plain_values() -> None:
    pair = dressing_pairs(1, 1)[0]
    assert replace(pair) == pair
