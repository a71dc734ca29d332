"""One optimiser step: forward, backward, clipping, update, average.

Everything random in a step is seeded from (seed, step, micro-batch), so that a step needs no history.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import cast

import torch
from accelerate import Accelerator
from torch import Tensor

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.checkpoint import (
    Checkpoint,
    load_model_tensors,
    load_optimizer_tensors,
    model_tensors,
    optimizer_tensors,
)
from toile.training.ema import WeightAverage
from toile.training.optimizers import make_optimizers
from toile.training.processes import uses_deepspeed
from toile.training.randomness import derive_seed, seed_everything
from toile.training.schedule import learning_rate
from toile.training.task import Task


class NotFiniteError(ToileError):
    """The loss or the gradients are no longer finite; the weights are still those of the step before."""


class Stepper:
    """The state that a step changes: weights and their average, moments, and the number of steps done."""

    def __init__(self, task: Task, optimization: Optimization, seed: int, accelerator: Accelerator) -> None:
        """Prepare the task's model for the accelerator's devices.

        Raises:
            ToileError: when nothing trains, or the model cannot checkpoint its activations.
        """
        self.task, self.optimization, self.seed, self.accelerator = task, optimization, seed, accelerator
        self.done = 0
        model = task.model.to(accelerator.device).train()
        if optimization.gradient_checkpointing:
            enable_gradient_checkpointing(model)
        self.parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise ToileError(f"nothing to train: no parameter of {task.name}'s model requires a gradient")
        self.average = (
            WeightAverage(self.parameters, optimization.ema_decay) if optimization.ema_decay else None
        )
        made = make_optimizers(optimization, self.parameters.values(), accelerator.device)
        self.model, *self.optimizers = accelerator.prepare(model, *made)

    def step(self, batches: Iterator[dict[str, Tensor]], flag: bool = False) -> dict[str, float]:
        """One optimiser step.

        Args:
            batches: gives this process's micro-batches.
            flag: something that all processes should know when one does.

        Returns:
            The loss and the task's other figures, "gradient_norm" (before clipping), "learning_rate", and
            "flag" (positive if any process raised it); alike on all processes.

        Raises:
            NotFiniteError: on all processes at once.
        """
        rate = learning_rate(self.optimization, self.done)
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = rate
        losses = [self._backward(next(batches), n) for n in range(self.optimization.gradient_accumulation)]
        norm = self.accelerator.clip_grad_norm_(self.parameters.values(), self.optimization.max_gradient_norm)
        values = self._gather(losses, norm, flag)
        self._check_finite(values)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        if self.average is not None:
            self.average.update(self.done)
        self.done += 1
        return values | {"learning_rate": rate}

    def _backward(self, batch: dict[str, Tensor], micro_batch: int) -> dict[str, Tensor]:
        """Add a micro-batch's gradients; its seeds are the same however processes share the micro-batches."""
        device = self.accelerator.device
        number = self.accelerator.process_index * self.optimization.gradient_accumulation + micro_batch
        seed_everything(derive_seed(self.seed, "model", self.done, number))
        noise = torch.Generator(device).manual_seed(derive_seed(self.seed, "noise", self.done, number))
        batch = {name: value.to(device, non_blocking=True) for name, value in batch.items()}
        with self.accelerator.accumulate(self.model):
            # One autocast around the whole loss: a weight used twice is cast once.
            with self.accelerator.autocast():
                losses = self.task.loss(self.model, batch, noise)
            self.accelerator.backward(losses["loss"] + self._touch_everything())
        return {name: value.detach().float() for name, value in losses.items()}

    def _touch_everything(self) -> Tensor | float:
        """Zero, depending on all parameters: several processes wait for a gradient of each of them."""
        if self.accelerator.num_processes == 1:
            return 0.0
        return 0.0 * torch.stack([p.flatten()[0].float() for p in self.parameters.values()]).sum()

    def _gather(
        self, losses: list[dict[str, Tensor]], norm: Tensor | float | None, flag: bool
    ) -> dict[str, float]:
        """Means over micro-batches and processes, fetched in one transfer."""
        names = sorted(losses[0])
        means = [torch.stack([micro[name] for micro in losses]).mean() for name in names]
        extra = [torch.as_tensor(math.nan if norm is None else norm), torch.tensor(float(flag))]
        device = self.accelerator.device
        vector = torch.stack([value.detach().to(device, torch.float32) for value in (*means, *extra)])
        if self.accelerator.num_processes > 1:
            vector = cast(Tensor, self.accelerator.reduce(vector, "mean"))
        return dict(zip((*names, "gradient_norm", "flag"), vector.tolist(), strict=True))

    def _check_finite(self, values: dict[str, float]) -> None:
        """Stop before bad gradients reach the weights; fp16's scaler deals with its own overflows."""
        exempt = self.accelerator.scaler is not None or uses_deepspeed(self.accelerator)
        for name in ("loss",) if exempt else ("loss", "gradient_norm"):
            if not math.isfinite(values[name]):
                raise NotFiniteError(
                    f"{self.task.name}: {name} is {values[name]} at step {self.done + 1}, "
                    f"loss {values['loss']}; lower the learning rate "
                    f"({self.optimization.learning_rate}), lengthen the warm-up "
                    f"({self.optimization.warmup_steps}) or use another mixed_precision"
                )

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """The averaged weights, evaluation mode, no gradients, seeds of its own; undone afterwards."""
        modes = {module: module.training for module in self.task.model.modules()}
        seed_everything(derive_seed(self.seed, "evaluation"))
        try:
            averaged = nullcontext() if self.average is None else self.average.applied()
            with averaged, torch.no_grad(), self.accelerator.autocast():
                self.task.model.eval()
                yield
        finally:
            for module, mode in modes.items():
                module.training = mode

    def checkpoint(self) -> Checkpoint:
        """Everything that a run continues from."""
        scaler, sharded = self.accelerator.scaler, uses_deepspeed(self.accelerator)
        return Checkpoint(
            step=self.done,
            model=model_tensors(self.task.model),
            average={} if self.average is None else self.average.averages,
            optimizer={} if sharded else optimizer_tensors(self._own_optimizers(), self.parameters),
            scaler={} if scaler is None else scaler.state_dict(),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint.

        Raises:
            ToileError: when it is of another model.
        """
        load_model_tensors(self.task.model, checkpoint.model)
        if not uses_deepspeed(self.accelerator):
            load_optimizer_tensors(self._own_optimizers(), self.parameters, checkpoint.optimizer)
        if self.average is not None:
            self.average.load(checkpoint.average)
        if self.accelerator.scaler is not None and checkpoint.scaler:
            self.accelerator.scaler.load_state_dict(dict(checkpoint.scaler))
        self.done = checkpoint.step

    def _own_optimizers(self) -> list[torch.optim.Optimizer]:
        """Without accelerate's wrapping."""
        return [optimizer.optimizer for optimizer in self.optimizers]

    def release(self) -> None:
        """Give the task's model its own `forward` back, and forget the optimiser."""
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        self.accelerator.free_memory()


def enable_gradient_checkpointing(model: torch.nn.Module) -> None:
    """Have the model recompute activations in the backward pass.

    Raises:
        ToileError: when the model cannot.
    """
    enable = getattr(model, "enable_gradient_checkpointing", None)
    if enable is None:
        raise ToileError(
            f"gradient_checkpointing is on, but {type(model).__name__} has no "
            "enable_gradient_checkpointing(); turn it off"
        )
    enable()
