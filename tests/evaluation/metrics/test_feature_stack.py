from pathlib import Path

import pytest
import torch
from tests.evaluation.metrics import classifiers
from torch import nn

from toile.errors import ToileError
from toile.evaluation.metrics.feature_stack import FeatureStack
from toile.evaluation.metrics.published_weights import PublishedFile


def small() -> FeatureStack:
    layers = [nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1)]
    published = PublishedFile(network="Small", source="nowhere")
    return FeatureStack(layers, taps=(1, 3), channels=(4, 6), smallest=2, published=published)


def test_gives_the_tapped_outputs() -> None:
    stack, pictures = small(), torch.rand(2, 3, 8, 6)
    first, second = stack(pictures)
    assert torch.equal(first, stack.features[0](pictures).relu())
    assert torch.equal(second, stack.features[3](stack.features[2](first)))


def test_loads_by_published_names_and_is_frozen(tmp_path: Path) -> None:
    torch.manual_seed(1)
    stack, other = small(), small()
    stack.load(classifiers.published_file(other.features, tmp_path / "small.pth"))
    pictures = torch.rand(1, 3, 8, 6)
    assert torch.equal(stack(pictures)[1], other(pictures)[1])
    assert not stack.training and not any(weight.requires_grad for weight in stack.parameters())


def test_weights_of_another_shape_change_nothing(tmp_path: Path) -> None:
    stack = small()
    before = stack.state_dict()["features.0.weight"].clone()
    path = classifiers.published_file(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)), tmp_path / "s.pth"
    )
    with pytest.raises(ToileError, match=r"weights of Small: features\.3\.weight is missing"):
        stack.load(path)
    assert torch.equal(stack.state_dict()["features.0.weight"], before)


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(ToileError, match="Small needs pictures of at least 2 pixels a side, not 8×1"):
        small()(torch.rand(1, 3, 1, 8))
