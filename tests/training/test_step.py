from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.small_task import SmallTask, small_optimization
from torch import Tensor, nn

from toile.diffusion import tiny
from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.processes import make_accelerator
from toile.training.settings import RunSettings
from toile.training.step import NotFiniteError, Stepper, enable_gradient_checkpointing


def _stepper(task: SmallTask, optimization: Optimization) -> Stepper:
    run = RunSettings(folder=Path("unused"), device="cpu")
    return Stepper(task, optimization, 0, make_accelerator(optimization, run))


def _batches(parts: int = 1) -> Iterator[dict[str, Tensor]]:
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))
    while True:
        yield from ({"x": part} for part in x.chunk(parts))


class Quiet(SmallTask):
    """Without any randomness: the mean of a squared output."""

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        return {"loss": model.eval()(batch["x"]).square().mean()}


def test_a_step_is_adamw_on_the_clipped_gradient() -> None:
    optimization = replace(
        small_optimization(gradient_accumulation=1), warmup_steps=0, max_gradient_norm=0.01
    )
    task, plain = Quiet(), Quiet()
    values = _stepper(task, optimization).step(_batches())
    trained = [p for p in plain.model.parameters() if p.requires_grad]
    adamw = torch.optim.AdamW(trained, lr=optimization.learning_rate, weight_decay=0.01)
    plain.loss(plain.model, next(_batches()), torch.Generator())["loss"].backward()
    norm = nn.utils.clip_grad_norm_(trained, 0.01)
    adamw.step()
    assert values["gradient_norm"] == pytest.approx(float(norm), rel=1e-5)
    for ours, theirs in zip(task.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)


def test_micro_batches_add_up_to_the_batch() -> None:
    whole, parts = Quiet(), Quiet()
    first = _stepper(whole, small_optimization(gradient_accumulation=1)).step(_batches(1))
    second = _stepper(parts, small_optimization(gradient_accumulation=4)).step(_batches(4))
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)
    assert first["gradient_norm"] == pytest.approx(second["gradient_norm"], rel=1e-5)
    for ours, theirs in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_bad_gradients_never_reach_the_weights() -> None:
    task = SmallTask(fail_after=0)
    stepper = _stepper(task, small_optimization(gradient_accumulation=1))
    before = {name: p.detach().clone() for name, p in task.model.named_parameters()}
    with pytest.raises(NotFiniteError, match="loss is nan at step 1"):
        stepper.step(_batches())
    assert all(torch.equal(p, before[name]) for name, p in task.model.named_parameters())
    assert stepper.done == 0


def test_evaluating_leaves_no_trace() -> None:
    task = SmallTask()
    stepper = _stepper(task, small_optimization(gradient_accumulation=1))
    task.model.body.eval()
    with stepper.evaluating():
        assert not any(module.training for module in task.model.modules())
        first = torch.randn(3)
    assert task.model.training and task.model.conv.training and not task.model.body.training
    with stepper.evaluating():
        assert torch.equal(torch.randn(3), first)


def test_a_model_without_anything_to_train_is_refused() -> None:
    task = SmallTask()
    task.model.requires_grad_(False)
    with pytest.raises(ToileError, match="nothing to train"):
        _stepper(task, small_optimization())


def test_checkpointing_of_activations_changes_no_gradient_and_is_refused_where_it_cannot_be() -> None:
    torch.manual_seed(0)
    unet = tiny.unet().train()
    inputs = (
        torch.randn(1, tiny.LATENT_CHANNELS, 8, 8),
        torch.tensor([10]),
        torch.randn(1, 4, tiny.EMBEDDING),
    )

    def gradient() -> Tensor:
        unet.zero_grad()
        unet(*inputs).sample.square().mean().backward()
        return unet.conv_in.weight.grad.clone()

    plain = gradient()
    enable_gradient_checkpointing(unet)
    assert unet.is_gradient_checkpointing
    assert torch.allclose(gradient(), plain, rtol=1e-4, atol=1e-7)
    with pytest.raises(ToileError, match="Linear has no enable_gradient_checkpointing"):
        enable_gradient_checkpointing(nn.Linear(1, 1))


def test_precision_and_device_that_are_not_there_are_refused() -> None:
    with pytest.raises(ToileError, match="mixed_precision is 'fp16', which a CPU"):
        _stepper(SmallTask(), replace(small_optimization(), mixed_precision="fp16"))
    if not torch.cuda.is_available():
        with pytest.raises(ToileError, match="finds no GPU"):
            make_accelerator(small_optimization(), RunSettings(folder=Path("unused"), device="cuda"))
