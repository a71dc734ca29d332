import pytest
import torch
from diffusers.training_utils import EMAModel
from tests.training.small_task import SmallModel

from toile.errors import ToileError
from toile.training.ema import WeightAverage


def _trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _disturb(model: torch.nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for parameter in _trainable(model).values():
            parameter.add_(torch.randn(parameter.shape, generator=generator))


def test_it_equals_diffusers() -> None:
    model = SmallModel()
    ours = WeightAverage(_trainable(model), 0.8)
    theirs = EMAModel(_trainable(model).values(), decay=0.8)
    theirs.optimization_step = 1  # its first call would copy the weights; ours counts the steps before it
    for step in range(1, 30):
        _disturb(model, step)
        ours.update(step)
        theirs.step(_trainable(model).values())
    for average, shadow in zip(ours.averages.values(), theirs.shadow_params, strict=True):
        assert torch.allclose(average, shadow, atol=1e-5)


def test_applied_shows_the_average_and_restores_bit_for_bit() -> None:
    model = SmallModel()
    average = WeightAverage(_trainable(model), 0.5)
    _disturb(model, 0)
    average.update(20)
    own = {name: p.detach().clone() for name, p in model.named_parameters()}
    with pytest.raises(RuntimeError), average.applied():
        assert torch.equal(model.conv.weight, average.averages["conv.weight"])
        assert not torch.equal(model.conv.weight, own["conv.weight"])
        raise RuntimeError
    assert all(torch.equal(p, own[name]) for name, p in model.named_parameters())


def test_averages_of_half_precision_weights_are_float32() -> None:
    model = SmallModel().to(torch.bfloat16)
    average = WeightAverage(_trainable(model), 0.999)
    before = average.averages["conv.weight"].clone()
    _disturb(model, 0)
    average.update(10_000)
    assert average.averages["conv.weight"].dtype == torch.float32
    moved = average.averages["conv.weight"] - before
    expected = 0.001 * (model.conv.weight.detach().float() - before)
    assert torch.allclose(moved, expected, atol=1e-6)
    with average.applied():
        assert model.conv.weight.dtype == torch.bfloat16


def test_another_models_averages_are_refused() -> None:
    average = WeightAverage(_trainable(SmallModel()), 0.5)
    with pytest.raises(ToileError, match=r"'conv\.weight' is on one side only"):
        average.load({name: t for name, t in average.averages.items() if name != "conv.weight"})
