import pytest

from toile.errors import ToileError
from toile.evaluation.metrics import MetricSpec

FIELDS = {
    "name": "X",
    "higher_is_better": True,
    "low": 0.0,
    "high": float("inf"),
    "needs": frozenset({"target"}),
    "definition": "A number.",
    "backbone": None,
}


def test_an_infinite_range_is_a_range() -> None:
    assert MetricSpec(**FIELDS).high == float("inf")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"low": 1.0, "high": 1.0}, r"X: the range \[1.0, 1.0\] is empty"),
        ({"low": float("nan")}, "X: the range"),
        (
            {"needs": frozenset({"target", "mask"})},
            "X: no sample has mask; a metric may need garments, prompt",
        ),
    ],
)
def test_what_no_metric_can_be_is_refused(wrong, message: str) -> None:
    with pytest.raises(ToileError, match=message):
        MetricSpec(**FIELDS | wrong)
