import gradio as gr
import pytest

from toile.app.drawing_controls import drawing_controls, drawing_of, seeds_of
from toile.app.limits import Limits
from toile.errors import ToileError
from toile.tasks.drawing import IGR_DRAWING, LARGEST_JAVASCRIPT_SEED, Drawing


def test_controls_make_a_drawing_and_seeds():
    assert drawing_of(5, 2.5, Limits()) == Drawing(steps=5, guidance=2.5)
    assert drawing_of(0, 2.5, Limits()) == Drawing(guidance=2.5)
    assert list(seeds_of(7.0, 3, Limits())) == [7, 8, 9]


def test_steps_are_left_to_the_model_where_the_limits_allow_as_many():
    for most, (least, shown) in ((100, (0, 0)), (9, (1, 9))):
        with gr.Blocks():
            steps = drawing_controls("restore", IGR_DRAWING, 10, Limits(steps=most)).steps
        assert (steps.minimum, steps.value, steps.maximum) == (least, shown, most)


@pytest.mark.parametrize("steps", [None, -1, 101, 2.5, True, float("inf"), float("nan")])
def test_steps_that_are_none_are_refused(steps):
    with pytest.raises(ToileError, match="steps"):
        drawing_of(steps, 1.5, Limits())


@pytest.mark.parametrize("guidance", [None, -1, 1000, float("nan")])
def test_guidance_that_is_none_is_refused(guidance):
    with pytest.raises(ToileError, match="guidance"):
        drawing_of(5, guidance, Limits())


@pytest.mark.parametrize(
    ("seed", "count"), [(None, 1), (-1, 1), (1.5, 1), (LARGEST_JAVASCRIPT_SEED, 1), (0, 0), (0, 9)]
)
def test_seeds_that_are_none_are_refused(seed, count):
    with pytest.raises(ToileError, match=r"seed|pictures"):
        seeds_of(seed, count, Limits())


def test_limits_that_let_nothing_through_are_refused():
    for name in ("megabytes", "megapixels", "candidates", "garments", "steps"):
        with pytest.raises(ToileError, match=name):
            Limits(**{name: 0})
    with pytest.raises(ToileError, match="waiting"):
        Limits(waiting=-1)
