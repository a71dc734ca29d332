import pytest
from PIL import Image
from tests.tasks.pictures import difference

from toile.errors import ToileError
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest

DRAWING = Drawing(steps=1, guidance=1.5)


def test_each_photo_alone_or_among_others(atelier, ann, bare):
    requests = [
        RestoreRequest(photo=ann, seed=3, drawing=DRAWING),
        RestoreRequest(photo=bare, category="lower", drawing=DRAWING),
        RestoreRequest(photo=bare, mask=Image.new("L", (2, 2), 255), drawing=DRAWING),
    ]
    first, second, bad = atelier.run(requests)
    assert isinstance(bad, ToileError) and "2×2 pixels" in str(bad)
    assert first.metadata["mask"] == "automatic" and first.metadata["seed"] == 3
    assert (second.metadata["category"], second.metadata["size"]) == ("lower", [64, 32])
    for request, together in zip(requests, (first, second), strict=False):
        (alone,) = atelier.run([request])
        assert difference(alone.main, together.main) <= 1
    assert difference(first.main, second.main) > 1
    assert list(first.pictures) == ["garment", "mask"] and first.pictures["mask"].size == ann.size


def test_the_mask_counts(atelier, ann):
    whole, part = atelier.run(
        [
            RestoreRequest(photo=ann, mask=None, drawing=DRAWING),
            RestoreRequest(photo=ann, mask="auto", drawing=DRAWING),
        ]
    )
    assert difference(whole.main, part.main) > 1
    assert list(whole.pictures) == ["garment"] and whole.metadata["mask"] is False
    assert "whole photo" in whole.notes[0]


def test_a_garment_is_encoded_once(make_atelier, ann):
    atelier = make_atelier(keep=2)
    for seed in (0, 1):
        atelier.run([RestoreRequest(photo=ann, seed=seed, drawing=DRAWING)])
    assert atelier.encodings == 1
    atelier.run([RestoreRequest(photo=ann, category="lower", drawing=DRAWING)])
    assert atelier.encodings == 2


def test_a_bad_category(ann):
    with pytest.raises(ToileError, match="'hat' is unknown"):
        RestoreRequest(photo=ann, category="hat").check()
