from collections.abc import Sequence

import pytest
import torch
from PIL import Image

from toile.comfyui.node import drawing_of, notes_of, run_batch
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.models import enough_memory
from toile.tasks.request import Request
from toile.tasks.restore import RestoreRequest
from toile.tasks.result import Result

PICTURE = Image.new("RGB", (4, 4))


class Tight(Atelier):
    """An atelier in whose memory there is no room at first."""

    def __init__(self, refusals: int, loading: bool) -> None:
        super().__init__()
        self.refusals, self.loading = refusals, loading

    def run(self, requests: Sequence[Request], on_step=None) -> list[Result | ToileError]:
        self.refusals -= 1
        if self.refusals >= 0 and self.loading:
            raise torch.OutOfMemoryError
        if self.refusals >= 0:
            with enough_memory(1, (64, 32)):
                raise torch.OutOfMemoryError
        return [Result(pictures={"garment": PICTURE}, metadata={}) for _ in requests]


def request() -> RestoreRequest:
    return RestoreRequest(photo=PICTURE)


@pytest.mark.parametrize("loading", [True, False])
def test_comfyui_s_own_models_make_room_when_the_memory_does_not_suffice(host, loading):
    assert len(run_batch(Tight(1, loading), [request()])) == 1
    assert host.emptied == 1
    with pytest.raises(ToileError, match="not enough memory"):
        run_batch(Tight(2, loading), [request()])
    assert host.emptied == 2


def test_outside_of_comfyui_nobody_makes_room():
    with pytest.raises(ToileError, match="not enough memory for 64×32"):
        run_batch(Tight(1, False), [request()])


def test_room_is_not_made_for_another_mistake(host, models):
    with pytest.raises(ToileError, match="category 'hat'"):
        run_batch(models, [RestoreRequest(photo=PICTURE, category="hat")])
    assert not host.emptied


def test_notes_say_which_picture_they_are_about():
    one = Result(pictures={"worn": PICTURE}, metadata={}, notes=("a box",), scores={4: 0.25, 3: 0.125})
    assert notes_of([one]).splitlines() == [
        "a box",
        "seed 3: the garment comes back at a distance of 0.1250",
        "seed 4: the garment comes back at a distance of 0.2500",
    ]
    assert notes_of([one, one]).splitlines()[3] == "picture 2: a box"
    assert notes_of([]) == ""


def test_a_size_has_two_sides():
    assert drawing_of(3, 1.5, 0, 0).size is None
    assert drawing_of(3, 1.5, 64, 32).size == (64, 32)
    for sides in ((64, 0), (0, 32)):
        with pytest.raises(ToileError, match="set both"):
            drawing_of(3, 1.5, *sides)
