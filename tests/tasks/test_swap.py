import json
import shutil
from dataclasses import replace

import pytest
from tests.tasks.pictures import difference

from toile.app.limits import Limits as Page
from toile.errors import ToileError
from toile.service.limits import Limits as Service
from toile.tasks.drawing import IGR_DRAWING, TWGTM_DRAWING, Drawing
from toile.tasks.swap import SwapRequest, restoring_drawing
from toile.tasks.takeoff import TakeOffRequest
from toile.tasks.tryon import TryOnRequest

DRAWING = Drawing(steps=1, guidance=1.5)


def test_it_is_taking_off_and_trying_on(atelier, ann, noise):
    request = SwapRequest(wearer=noise(2), target=ann, seed=2, drawing=DRAWING)
    (swapped,) = atelier.run([request])
    (taken,) = atelier.run([TakeOffRequest(photo=noise(2), seed=2, drawing=DRAWING)])
    (worn,) = atelier.run([TryOnRequest(person=ann, garment=taken.main, seed=2, drawing=DRAWING)])
    assert difference(swapped.pictures["garment"], taken.main) <= 1
    assert difference(swapped.main, worn.main) <= 1
    assert swapped.metadata["target_mask"] == "automatic" and "wearer_mask" not in swapped.metadata


def test_through_igr(atelier, ann, bare):
    requests = [SwapRequest(wearer=ann, target=p, through="igr", drawing=DRAWING) for p in (ann, bare)]
    steps = []
    first, second = atelier.run(requests, steps.append)
    assert (
        sum(step.items for step in steps)
        == sum(request.total_steps(atelier.models) for request in requests)
        == 4
    )
    assert first.metadata["restorer"]["steps"] == 1 and first.metadata["wearer_mask"] == "automatic"
    assert [result.metadata["target_mask"] for result in (first, second)] == ["automatic", False]
    assert len(second.notes) == 2
    assert requests[0].group != SwapRequest(wearer=ann, target=ann, drawing=DRAWING).group


def test_steps_that_are_asked_for_count_for_both(atelier, ann):
    assert restoring_drawing("twgtm", DRAWING) == DRAWING
    usual = replace(TWGTM_DRAWING, size=(64, 32))
    assert restoring_drawing("igr", usual) == replace(IGR_DRAWING, size=(64, 32))
    assert restoring_drawing("igr", DRAWING) == replace(IGR_DRAWING, steps=1)
    for through, steps in (("igr", (25, 30)), ("twgtm", (30, 30))):
        assert SwapRequest(wearer=ann, target=ann, through=through).steps(atelier.models) == steps


def test_bad_settings(ann):
    with pytest.raises(ToileError, match="through 'magic' is unknown; write one of igr, twgtm"):
        SwapRequest(wearer=ann, target=ann, through="magic").check()
    with pytest.raises(ToileError, match="'shoe'"):
        SwapRequest(wearer=ann, target=ann, category="shoe").check()


@pytest.mark.parametrize("check", [Page(steps=35).check, Service(max_steps=35).check])
def test_limits_bound_the_own_steps_of_both_models(tmp_path, igr_folder, atelier, ann, check):
    shutil.copytree(igr_folder, tmp_path / "igr")
    index = tmp_path / "igr" / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"num_inference_steps": 40}))
    models = replace(atelier.models, igr=str(tmp_path / "igr"))
    check(SwapRequest(wearer=ann, target=ann), models)
    with pytest.raises(ToileError, match=r"steps is 40; .*35"):
        check(SwapRequest(wearer=ann, target=ann, through="igr"), models)
