import pytest
from PIL import Image
from tests.tasks.pictures import difference

from toile.tasks.drawing import Drawing
from toile.tasks.every import REQUESTS
from toile.tasks.step import Cancelled, Step, no_steps

DRAWING = Drawing(steps=3, guidance=1.0)


@pytest.fixture
def requests(noise):
    mask = Image.new("L", (40, 60), 255)
    return {
        "restore": REQUESTS["restore"](photo=noise(), mask=mask, drawing=DRAWING),
        "takeoff": REQUESTS["takeoff"](photo=noise(), drawing=DRAWING),
        "dress": REQUESTS["dress"](garments={"upper": [noise()]}, prompt="a man", drawing=DRAWING),
    }


@pytest.mark.parametrize("task", ["restore", "takeoff", "dress"])
def test_the_last_preview_is_the_picture(atelier, requests, task):
    steps: list[Step] = []
    (result,) = atelier.run([requests[task]], steps.append)
    previews = [step.preview()[0] for step in steps]
    assert len(steps) == 3 and {step.items for step in steps} == {1}
    assert difference(previews[-1], result.main) <= 1
    assert difference(previews[0], result.main) > 1


@pytest.mark.parametrize("task", ["restore", "takeoff", "dress"])
def test_work_is_stopped_between_two_steps(atelier, requests, task):
    steps: list[Step] = []

    def stop(step: Step) -> None:
        steps.append(step)
        if len(steps) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        atelier.run([requests[task]], stop)
    assert len(steps) == 2
    no_steps(steps[0])
    assert len(atelier.run([requests[task]])) == 1  # the models are as they were
