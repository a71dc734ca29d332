from pathlib import Path

import torch
from tests.evaluation.metrics import classifiers
from torch import nn

from toile.evaluation.metrics.alexnet import alexnet

TAPS = (1, 4, 7, 9, 11)


def test_agrees_with_the_published_layers(tmp_path: Path) -> None:
    theirs = classifiers.alexnet()
    ours = alexnet()
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
    theirs, smallest = classifiers.alexnet()[: TAPS[-1] + 1], alexnet().smallest
    assert all(maps.numel() for maps in alexnet()(torch.rand(1, 3, smallest, smallest)))
    assert smallest == 31 and _fails(theirs, 30)


def _fails(layers: nn.Sequential, side: int) -> bool:
    try:
        return layers(torch.rand(1, 3, side, side)).numel() == 0
    except RuntimeError:
        return True
