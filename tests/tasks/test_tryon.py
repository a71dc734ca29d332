import numpy as np
import pytest
from PIL import Image
from tests.tasks.pictures import difference

from toile.errors import ToileError
from toile.tasks.drawing import LARGEST_SEED, Drawing
from toile.tasks.tryon import TryOnRequest, round_trip_metadata
from toile.twgtm.round_trip import RoundTrip

DRAWING = Drawing(steps=1, guidance=1.5)


def test_several_people_in_one_garment(make_atelier, ann, bare, noise):
    atelier = make_atelier(keep=1)
    requests = [TryOnRequest(person=person, garment=noise(5), drawing=DRAWING) for person in (ann, bare)]
    first, second = atelier.run(requests)
    assert atelier.encodings == 1
    assert [result.metadata["mask"] for result in (first, second)] == ["automatic", False]
    assert "usual place" in second.notes[0] and first.scores == {}
    (alone,) = atelier.run(requests[:1])
    assert difference(alone.main, first.main) <= 1
    other, _ = atelier.run([TryOnRequest(person=p, garment=noise(6), drawing=DRAWING) for p in (ann, bare)])
    assert difference(other.main, first.main) > 1


def test_the_photo_s_own_pixels(atelier, noise):
    person, mask = noise(3, (32, 64)), Image.new("L", (32, 64), 0)
    mask.paste(255, (8, 20, 24, 40))
    shared = {"person": person, "garment": noise(1), "mask": mask, "drawing": DRAWING}
    (kept,) = atelier.run([TryOnRequest(**shared)])
    (whole,) = atelier.run([TryOnRequest(**shared, repaint=False)])
    np.testing.assert_array_equal(np.asarray(kept.main)[:15], np.asarray(person)[:15])
    assert difference(whole.main.crop((0, 0, 32, 15)), person.crop((0, 0, 32, 15))) > 1
    assert TryOnRequest(**shared).group != TryOnRequest(**shared, repaint=False).group


def test_candidates_are_scored_and_the_best_is_kept(atelier, ann, noise):
    request = TryOnRequest(person=ann, garment=noise(1), seed=4, candidates=2, drawing=DRAWING)
    steps = []
    (result,) = atelier.run([request], steps.append)
    assert sum(step.items for step in steps) == request.total_steps(atelier.models) == 4
    assert set(result.scores) == set(result.candidates) == {4, 5}
    best = min(result.scores, key=result.scores.__getitem__)
    assert result.metadata["seed"] == best and result.main is result.candidates[best]
    (single,) = atelier.run(
        [TryOnRequest(person=ann, garment=noise(1), seed=best, round_trip=True, drawing=DRAWING)]
    )
    assert difference(single.main, result.main) <= 1
    assert list(single.scores) == [best]


def test_what_a_picture_says_of_its_candidates():
    found = RoundTrip(images={3: Image.new("RGB", (1, 1))}, seed=3, distances={3: 0.12345678})
    assert round_trip_metadata(found) == {"seed": 3, "round_trip": {"3": 0.123457}}


def test_bad_settings(ann):
    for change, message in [
        ({"candidates": 0}, "candidates is 0"),
        ({"candidates": 2, "seed": LARGEST_SEED}, "passes 2"),
        ({"category": "shoe"}, "'shoe'"),
    ]:
        with pytest.raises(ToileError, match=message):
            TryOnRequest(person=ann, garment=ann, **change).check()
