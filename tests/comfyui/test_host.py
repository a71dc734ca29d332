import pytest
import torch
from PIL import Image
from tests.comfyui.conftest import Interrupted
from tests.comfyui.graph import node

from toile.comfyui import host as host_module
from toile.comfyui.host import Listener, default_device, model_folders, stop_if_interrupted
from toile.comfyui.nodes import NODE_CLASS_MAPPINGS
from toile.tasks.step import Step


def step(items: int = 1, previews: list | None = None) -> Step:
    def preview():
        if previews is not None:
            previews.append(1)
        return [Image.new("RGB", (4, 4))]

    return Step(items=items, preview=preview)


def test_outside_of_comfyui_nothing_is_shown():
    assert (model_folders(), default_device()) == ([], "auto")
    stop_if_interrupted()
    previews: list = []
    Listener(3)(step(previews=previews))
    assert not previews


def test_the_bar_counts_the_steps_of_all_pictures(host):
    listener = Listener(6)
    for _ in range(3):
        listener(step(items=2))
    (bar,) = host.bars
    assert bar.total == 6
    assert bar.seen == [(2, None), (4, None), (6, None)]


def test_previews_come_now_and_then(host, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(host_module.time, "monotonic", lambda: clock[0])
    listener, previews = Listener(10), []
    for _ in range(10):
        clock[0] += 0.5
        listener(step(previews=previews))
    shown = [value for value, preview in host.bars[0].seen if preview is not None]
    assert shown == [4, 8] and len(previews) == 2
    kind, picture, size = host.bars[0].seen[3][1]
    assert (kind, picture.size, size) == ("JPEG", (4, 4), 512)


def test_slow_previews_come_seldom(host, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(host_module.time, "monotonic", lambda: clock[0])

    def slow():
        clock[0] += 5
        return [Image.new("RGB", (4, 4))]

    listener = Listener(1000)
    for _ in range(1000):
        clock[0] += 0.5
        listener(Step(items=1, preview=slow))
    spent = 5 * len([preview for _, preview in host.bars[0].seen if preview])
    assert 0.05 < spent / clock[0] < 0.1


def test_cancel_stops_between_two_steps(host, models, doll):
    host.interrupt_at = 3
    photo, _, mask, _ = doll()
    inputs = node("ToileRestore", steps=8)["inputs"] | {"models": models, "photo": photo, "mask": mask}
    with torch.inference_mode(), pytest.raises(Interrupted):
        NODE_CLASS_MAPPINGS["ToileRestore"]().run(**inputs)
    assert host.steps == 3
    assert [value for value, _ in host.bars[0].seen] == [1, 2]
    host.interrupt_at = None
    with torch.inference_mode():
        assert NODE_CLASS_MAPPINGS["ToileRestore"]().run(**inputs)[0].shape == (1, 64, 32, 3)
