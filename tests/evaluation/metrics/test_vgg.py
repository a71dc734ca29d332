from pathlib import Path

import torch
from tests.evaluation.metrics import classifiers
from torch import nn

from toile.evaluation.metrics.vgg import vgg16

TAPS = (3, 8, 15, 22, 29)


def test_agrees_with_the_published_layers(tmp_path: Path) -> None:
    theirs = classifiers.vgg16()
    ours = vgg16()
    ours.load(classifiers.published_file(theirs, tmp_path / "published.safetensors"))
    hidden = pictures = torch.rand(2, 3, 67, 50, generator=torch.Generator().manual_seed(0))
    expected = []
    for number, layer in enumerate(theirs[: TAPS[-1] + 1]):
        hidden = layer(hidden)
        if number in TAPS:
            expected.append(hidden.clone())  # later layers may write in place
    found = ours(pictures)
    assert len(found) == len(expected) == len(ours.channels)
    for mine, true, channels in zip(found, expected, ours.channels, strict=True):
        assert mine.shape[1] == channels
        assert torch.allclose(mine, true, rtol=1e-4, atol=1e-5 * float(true.abs().max()))


def test_the_smallest_pictures_are_just_large_enough() -> None:
    theirs, smallest = classifiers.vgg16()[: TAPS[-1] + 1], vgg16().smallest
    assert all(maps.numel() for maps in vgg16()(torch.rand(1, 3, smallest, smallest)))
    assert smallest == 16 and _fails(theirs, 15)


def _fails(layers: nn.Sequential, side: int) -> bool:
    try:
        return layers(torch.rand(1, 3, side, side)).numel() == 0
    except RuntimeError:
        return True


def test_hanning_pooling_changes_the_pools_alone(tmp_path: Path) -> None:
    path = classifiers.published_file(classifiers.vgg16(), tmp_path / "vgg16.safetensors")
    stack = vgg16(pooling="hanning")
    stack.load(path)
    pools = [number for number, layer in enumerate(stack.features) if type(layer).__name__ == "HanningPool"]
    assert pools == [4, 9, 16, 23]
    assert stack.state_dict().keys() == vgg16().state_dict().keys()
