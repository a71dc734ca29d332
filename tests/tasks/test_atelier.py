import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.tasks.pictures import difference

from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import Drawing
from toile.tasks.models import Models
from toile.tasks.restore import RestoreRequest
from toile.tasks.takeoff import TakeOffRequest

DRAWING = Drawing(steps=1, guidance=1.5)


def test_models_are_loaded_when_they_are_needed_and_once(make_atelier, ann):
    atelier = make_atelier()
    assert atelier._pipelines == {}
    atelier.run([RestoreRequest(photo=ann, drawing=DRAWING)])
    pipeline = atelier.pipeline("igr")
    atelier.load("igr", "twgtm")
    assert set(atelier._pipelines) == {"igr", "twgtm"} and atelier.pipeline("igr") is pipeline
    assert atelier.canvas("twgtm") == (64, 32)


def test_only_what_has_a_group_in_common(atelier, ann):
    one, other = RestoreRequest(photo=ann, drawing=DRAWING), TakeOffRequest(photo=ann, drawing=DRAWING)
    for mixed in ([one, other], [one, replace(one, drawing=replace(DRAWING, steps=2))], []):
        with pytest.raises(ToileError, match="no group in common"):
            atelier.run(mixed)


def test_when_no_request_can_be_done_no_step_is_made(atelier, ann):
    steps = []
    (bad,) = atelier.run([RestoreRequest(photo=ann, category="shoe", drawing=DRAWING)], steps.append)
    assert isinstance(bad, ToileError) and steps == []


def test_a_model_that_is_not_there(ann):
    with pytest.raises(ToileError, match="no such folder"):
        Atelier(Models(igr="tinny", device="cpu")).run([RestoreRequest(photo=ann)])
    with pytest.raises(ToileError, match="dtype 'int8'"):
        Atelier(Models(dtype="int8"))


def test_threads_take_turns(atelier, ann):
    requests = [RestoreRequest(photo=ann, seed=seed, drawing=DRAWING) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = [result[0] for result in pool.map(lambda request: atelier.run([request]), requests)]
    for request, result in zip(requests, together, strict=True):
        assert difference(atelier.run([request])[0].main, result.main) == 0


def test_the_same_batch_gives_the_same_bits(make_atelier, ann, bare):
    batch = [RestoreRequest(photo=photo, drawing=DRAWING) for photo in (ann, bare)]
    fresh, warm = make_atelier(), make_atelier(keep=4)
    warm.run([batch[1]])  # what is kept is what would be made
    for one, other in zip(fresh.run(batch), warm.run(batch), strict=True):
        assert difference(one.main, other.main) == 0


def test_what_pictures_carry_is_json(atelier, ann):
    (result,) = atelier.run([RestoreRequest(photo=ann, drawing=replace(DRAWING, size=(96, 64)))])
    told = json.loads(json.dumps(dict(result.metadata)))
    assert (told["task"], told["size"], told["dtype"], told["steps"]) == ("restore", [96, 64], "float32", 1)
    assert result.main.size == (64, 96)


def test_the_model_s_own_steps_are_taken_and_told(atelier, ann):
    request, taken = RestoreRequest(photo=ann, drawing=Drawing(guidance=1.0)), []
    (result,) = atelier.run([request], taken.append)
    assert len(taken) == request.total_steps(atelier.models) == result.metadata["steps"] == 25
