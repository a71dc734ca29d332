import re
from functools import lru_cache

from toile.dolls.captions import describe_garment, describe_person, garment_attributes
from toile.dolls.scene import sample_scene


@lru_cache(maxsize=1)
def scenes():
    return [sample_scene(seed, mode, None) for mode in ("studio", "street") for seed in range(150)]


def test_the_vocabulary_is_closed_and_small():
    words = set()
    for scene in scenes():
        words |= set(re.findall(r"[A-Za-z-]+", describe_person(scene)))
    assert 100 < len(words) <= 300


def test_a_caption_names_colour_cut_and_detail():
    for scene in scenes()[:100]:
        for spec in scene.garments:
            caption = describe_garment(spec)
            assert spec.texture.colours[0] in caption
            assert spec.cut.split()[-1] in caption
            assert all(detail.content in caption for detail in spec.details)
            assert caption in describe_person(scene)


def test_articles_fit():
    for scene in scenes():
        assert not re.search(r"\ba [aeiou]", describe_person(scene)), describe_person(scene)


def test_attributes_hold_no_empty_values():
    for scene in scenes()[:100]:
        for spec in scene.garments:
            attributes = garment_attributes(spec)
            assert all(attributes.values())
            assert attributes["pattern"] == spec.texture.pattern
            assert ("second_colour" in attributes) == (not spec.texture.one_coloured)


def test_a_caption_may_name_the_clothes_or_leave_them_out():
    for scene in scenes()[:100]:
        named, unnamed = describe_person(scene, "named"), describe_person(scene, "unnamed")
        colours = {spec.texture.colours[0] for spec in scene.garments} - {scene.look.hair_colour}
        for spec in scene.garments:
            assert spec.cut in named
            assert spec.cut not in unnamed
        assert not any(f" {colour} " in f" {named} {unnamed} " for colour in colours)
        assert len(unnamed) < len(named) < len(describe_person(scene))
        for told in (named, unnamed):
            assert told.startswith(f"a {scene.look.noun}") or told.startswith(f"a bald {scene.look.noun}")
            assert told.endswith("in a studio" if scene.mode == "studio" else "in the street")
