from toile.dolls.scene import sample_scene


def test_a_scene_is_a_value():
    assert sample_scene(5, "street", None) == sample_scene(5, "street", None)


def test_the_street_hides_more():
    studio, street = (
        [sample_scene(seed, mode, "upper") for seed in range(120)] for mode in ("studio", "street")
    )
    bags = [sum(scene.bag is not None for scene in scenes) for scenes in (studio, street)]
    arms = [sum(scene.pose.right.layer == "front" for scene in scenes) for scenes in (studio, street)]
    assert bags[1] > 3 * bags[0]
    assert arms[1] > 1.5 * arms[0]


def test_hats_are_worn_by_about_one_in_seven():
    hats = sum(sample_scene(seed, "studio", None).garments[-1].category == "hat" for seed in range(200))
    assert 0.08 < hats / 200 < 0.22


def test_only_women_wear_skirts_and_dresses():
    for seed in range(80):
        scene = sample_scene(seed, "studio", None)
        if any(spec.cut == "skirt" or spec.category == "dress" for spec in scene.garments):
            assert scene.look.noun == "woman"


def test_placements_are_special_in_one_of_ten():
    placements = [
        next(spec.placement for spec in scene.garments if spec.category == scene.category)
        for scene in (sample_scene(seed, "studio", None) for seed in range(200))
    ]
    side = sum(placement.shear != 0 for placement in placements) / 200
    extreme = sum(placement.shear == 0 and placement.width_factor < 1 for placement in placements) / 200
    assert 0.02 < side < 0.09
    assert 0.02 < extreme < 0.09
