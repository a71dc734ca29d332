import pytest
from PIL import Image

from toile.errors import ToileError
from toile.evaluation.metrics import Sample, WornGarment

RGB = Image.new("RGB", (8, 6))
GREY = Image.new("L", (8, 6))


def test_what_is_not_known_stays_empty() -> None:
    sample = Sample(identifier="a", prediction=RGB)
    assert (sample.target, sample.silhouette, sample.prompt) == (None, None, None)
    assert (sample.garments, sample.category, sample.labels) == ((), "", frozenset())


def test_garments_may_have_any_size_but_their_regions_have_the_predictions() -> None:
    flat = Image.new("RGB", (30, 40))
    worn = WornGarment(kind="hat", picture=flat, region=GREY)
    assert Sample(identifier="a", prediction=RGB, garments=(worn,)).garments[0].picture is flat
    elsewhere = WornGarment(kind="hat", picture=flat, region=Image.new("L", (8, 7)))
    with pytest.raises(ToileError, match="a: the region of the garment 'hat' has 8×7 pixels and the pred"):
        Sample(identifier="a", prediction=RGB, garments=(elsewhere,))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"identifier": ""}, "empty identifier"),
        ({"prediction": GREY}, "a: the prediction has the mode 'L'; convert it to 'RGB'"),
        ({"target": GREY}, "a: the target has the mode 'L'"),
        ({"target": Image.new("RGB", (6, 8))}, "a: the target has 6×8 pixels and the prediction 8×6"),
        ({"silhouette": RGB}, "a: the silhouette has the mode 'RGB'; convert it to 'L'"),
        ({"silhouette": Image.new("L", (6, 8))}, "a: the silhouette has 6×8 pixels"),
    ],
)
def test_what_no_metric_could_measure_is_refused(wrong, message: str) -> None:
    with pytest.raises(ToileError, match=message):
        Sample(**{"identifier": "a", "prediction": RGB} | wrong)


def test_a_garment_of_another_mode_is_refused() -> None:
    with pytest.raises(ToileError, match="the picture of the garment 'hat' has the mode 'L'"):
        WornGarment(kind="hat", picture=GREY, region=None)
    with pytest.raises(ToileError, match="the region of the garment 'hat' has the mode 'RGB'"):
        WornGarment(kind="hat", picture=RGB, region=RGB)
