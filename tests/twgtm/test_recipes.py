from dataclasses import replace

import pytest

from toile.errors import ToileError
from toile.twgtm.recipes import (
    RECIPES,
    VARIANTS,
    fine_tuning,
    paper_stage_1,
    paper_stage_2,
    tiny_stage_1,
    tiny_stage_2,
)

STAGES = {
    "paper-stage-1": paper_stage_1,
    "paper-stage-2": paper_stage_2,
    "tiny-stage-1": tiny_stage_1,
    "tiny-stage-2": tiny_stage_2,
}


def test_the_first_stage_has_eq_14_and_the_second_eq_16():
    for first, second in ((paper_stage_1(), paper_stage_2()), (tiny_stage_1(), tiny_stage_2())):
        assert (first.stage, first.mask_weight, first.dice_weight, first.bce_weight) == (1, 1, 1, 1)
        assert (second.stage, second.mask_weight) == (2, 0)
        same = replace(
            second, stage=1, mask_weight=1.0, optimization=first.optimization, full_mask_probability=0.0
        )
        assert same == first
    assert paper_stage_2().full_mask_probability == 0
    assert tiny_stage_2().full_mask_probability == 0.3


def test_half_the_size_changes_nothing_else():
    for name, full in (("tiny-half-stage-1", tiny_stage_1()), ("tiny-half-stage-2", tiny_stage_2())):
        half = RECIPES[name]()
        assert half.size == (128, 96) and half.optimization.batch_size == 16
        optimization = replace(half.optimization, batch_size=full.optimization.batch_size)
        assert replace(half, size=full.size, optimization=optimization) == full


def test_the_papers_setting():
    recipe = paper_stage_1()
    assert recipe.size == (1024, 768)
    assert (recipe.num_queries, recipe.num_task_queries, recipe.num_units) == (32, 32, 3)
    assert (recipe.num_inference_steps, recipe.guidance_scale, recipe.drop_probability) == (30, 2.5, 0.1)
    assert recipe.optimization.learning_rate == 1e-5


@pytest.mark.parametrize("stage", STAGES)
def test_variants_change_one_thing_each(stage):
    full = STAGES[stage]()
    expected = {
        "variant-1": {"fusion": "none"},
        "variant-2": {"two_panels": False},
        "variant-4": {"tasks": "try_on"},
        "variant-5": {"tasks": "take_off"},
        "variant-6": {"fusion": "concatenated"},
        "variant-7": {"fusion": "decoupled"},
        "variant-8": {"qformer": None},
    }
    assert set(VARIANTS) == set(expected)
    for name, change in expected.items():
        assert RECIPES[f"{stage}-{name}"]() == replace(full, **change)


def test_fine_tuning_goes_on_with_one_direction():
    for name, tasks in (("try-on", "try_on"), ("take-off", "take_off")):
        made = RECIPES[f"tiny-fine-tune-{name}"]()
        assert made == fine_tuning(tiny_stage_2(), tasks)
        assert (made.tasks, made.stage) == (tasks, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("drop_probability", 1.5),
        ("full_mask_probability", -0.1),
        ("bce_weight", -1.0),
        ("num_queries", 0),
        ("guidance_scale", 0.5),
        ("size", (250, 192)),
    ],
)
def test_senseless_values_are_refused(field, value):
    with pytest.raises(ToileError, match=field):
        replace(tiny_stage_1(), **{field: value})
