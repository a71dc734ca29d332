import pytest
from tests.tasks.pictures import difference

from toile.errors import ToileError
from toile.tasks.drawing import Drawing
from toile.tasks.takeoff import TakeOffRequest, check_box

DRAWING = Drawing(steps=1, guidance=1.5)


def test_boxes_and_silhouettes_of_one_batch(atelier, noise):
    photo = noise(1)
    requests = [
        TakeOffRequest(photo=photo, drawing=DRAWING),
        TakeOffRequest(photo=photo, box=(8, 8, 24, 40), silhouette=True, drawing=DRAWING),
        TakeOffRequest(photo=photo, box="predicted", drawing=DRAWING),
        TakeOffRequest(photo=photo, box=(0, 0, 99, 99), drawing=DRAWING),
    ]
    anywhere, boxed, predicted, bad = atelier.run(requests)
    assert isinstance(bad, ToileError) and "does not fit" in str(bad)
    assert [list(result.pictures) for result in (anywhere, boxed, predicted)] == [
        ["garment"],
        ["garment", "silhouette"],
        ["garment"],
    ]
    assert difference(anywhere.main, boxed.main) > 1
    assert [result.metadata["box"] for result in (anywhere, boxed, predicted)] == [
        None,
        [8, 8, 24, 40],
        "predicted",
    ]


def test_a_photo_is_encoded_once(make_atelier, noise):
    atelier = make_atelier(keep=1)
    atelier.run([TakeOffRequest(photo=noise(1), seed=seed, drawing=DRAWING) for seed in (0, 1)])
    assert atelier.encodings == 1


def test_what_is_no_box(noise):
    with pytest.raises(ToileError, match="box 'left' is none"):
        TakeOffRequest(photo=noise(), box="left").check()
    with pytest.raises(ToileError, match="does not fit"):
        check_box((9, 9, 9, 20), (64, 32))
