import pytest

from toile.errors import ToileError
from toile.tasks.drawing import (
    LARGEST_SEED,
    TWGTM_DRAWING,
    Drawing,
    check_category,
    check_count,
    check_seeds,
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1001}, "steps is 1001"),
        ({"guidance": -1.0}, "guidance is -1"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"size": (0, 64)}, "size is 0×64"),
    ],
)
def test_what_no_model_can_draw_with(change, message):
    TWGTM_DRAWING.check()
    with pytest.raises(ToileError, match=message):
        Drawing(**({"steps": 2, "guidance": 1.0} | change)).check()


def test_a_call_s_arguments_and_the_canvas(atelier):
    drawing = Drawing(steps=3, guidance=1.5)
    assert drawing.arguments((64, 32)) == {
        "num_inference_steps": 3,
        "guidance_scale": 1.5,
        "height": 64,
        "width": 32,
    }
    pipeline = atelier.pipeline("igr")
    assert drawing.canvas(pipeline) == (64, 32)
    assert Drawing(steps=3, guidance=1.5, size=(96, 64)).canvas(pipeline) == (96, 64)
    with pytest.raises(ToileError, match="multiples of"):
        Drawing(steps=3, guidance=1.5, size=(100, 100)).canvas(pipeline)


def test_categories():
    check_category("dress")
    with pytest.raises(ToileError, match="'shoe' is unknown; write one of upper, lower, dress"):
        check_category("shoe")


def test_counts():
    check_count("batch", 1)
    check_count("candidates", 5, 5)
    for value, most, message in [
        (0, None, "at least 1"),
        (6, 5, "between 1 and 5"),
        (0, 5, "between 1 and 5"),
    ]:
        with pytest.raises(ToileError, match=message):
            check_count("batch", value, most)


def test_seeds():
    check_seeds(LARGEST_SEED)
    for seed, count, message in [
        (-1, 1, "seed is -1"),
        (LARGEST_SEED + 1, 1, "must lie"),
        (LARGEST_SEED, 2, "with 2 candidates"),
    ]:
        with pytest.raises(ToileError, match=message):
            check_seeds(seed, count)
