import pytest
import torch
from torch import nn

from toile.diffusion.optimization import Optimization
from toile.training.checkpoint import load_optimizer_tensors, optimizer_tensors
from toile.training.optimizers import make_optimizers

CPU = torch.device("cpu")


def build(optimizer):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 3 * 2, 6), nn.LayerNorm(6))
    settings = Optimization(steps=9, batch_size=2, learning_rate=0.01, optimizer=optimizer)
    return model, make_optimizers(settings, model.parameters(), CPU)


def advance(model, optimizers, step):
    picture = torch.randn(32, 3, 5, 4, generator=torch.Generator().manual_seed(step))
    model(picture).square().mul(torch.arange(6)).mean().backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


def test_adamw_takes_everything():
    model, optimizers = build("adamw")
    assert [type(optimizer).__name__ for optimizer in optimizers] == ["AdamW"]
    assert len(optimizers[0].param_groups[0]["params"]) == len(list(model.parameters()))


def test_muon_takes_matrices_and_leaves_the_rest_to_adamw():
    model, optimizers = build("muon")
    adamw, muon = optimizers
    assert [id(p) for p in muon.param_groups[0]["params"]] == [id(model[2].weight)]
    everything = [*adamw.param_groups[0]["params"], *muon.param_groups[0]["params"]]
    assert {id(p) for p in everything} == {id(p) for p in model.parameters()}
    assert len(everything) == len(list(model.parameters()))


def test_a_step_of_muon_is_orthogonal_and_as_long_as_adamws():
    model, optimizers = build("muon")
    before = model[2].weight.detach().clone()
    advance(model, optimizers, 0)
    change = before - model[2].weight.detach()  # (6, 24)
    values = torch.linalg.svdvals(change)[:5]  # a layer norm follows, so that one direction has no gradient
    assert values.max() < 2.5 * values.min()
    assert change.square().mean().sqrt() == pytest.approx(0.2 * 0.01, rel=0.3)  # AdamW's mean is near 0.2


def test_both_continue_bit_for_bit():
    model, optimizers = build("muon")
    for step in range(3):
        advance(model, optimizers, step)
    moments = {name: tensor.clone() for name, tensor in optimizer_tensors(optimizers, named(model)).items()}
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    resumed, its_optimizers = build("muon")
    resumed.load_state_dict(weights)
    load_optimizer_tensors(its_optimizers, named(resumed), moments)
    for step in range(3, 6):
        advance(model, optimizers, step)
        advance(resumed, its_optimizers, step)
    for name, tensor in model.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def named(model):
    """A model's parameters by name."""
    return dict(model.named_parameters())
