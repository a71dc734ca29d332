"""How a model is optimised: the part of a recipe that every system shares."""

from dataclasses import dataclass
from typing import Literal

from toile.errors import ToileError

Precision = Literal["no", "bf16", "fp16"]
Optimizer = Literal["adamw", "muon"]


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """Steps, batches and the optimiser's numbers.

    Raises:
        ToileError: when a number makes no sense.
    """

    steps: int
    """Optimiser steps in all."""
    batch_size: int
    """Items in one optimiser step, over all processes and accumulated micro-batches together."""
    learning_rate: float
    """The learning rate after the warm-up."""
    optimizer: Optimizer = "adamw"
    """`muon` steps matrices along orthogonal directions (Jordan et al. 2024, "Muon"), as far as AdamW would
    on average, and leaves everything else to AdamW."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises linearly from zero."""
    final_learning_rate: float | None = None
    """Where a cosine brings the learning rate at the last step; None keeps it constant."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's moment decays."""
    max_gradient_norm: float = 1.0
    """Gradients are clipped to this norm."""
    gradient_accumulation: int = 1
    """Micro-batches added up in one optimiser step, on each process."""
    ema_decay: float = 0.0
    """Decay of the exponential moving average of the weights, which is what is exported; 0 keeps none."""
    mixed_precision: Precision = "no"
    """Automatic mixed precision of the forward pass."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, more time."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot train anything."""
        for name in ("steps", "batch_size", "gradient_accumulation"):
            if getattr(self, name) < 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.learning_rate <= 0:
            raise ToileError(f"learning_rate is {self.learning_rate}; it must be positive")
        if not 0 <= self.ema_decay < 1:
            raise ToileError(f"ema_decay is {self.ema_decay}; it must lie in [0, 1)")
        if self.batch_size % self.gradient_accumulation:
            raise ToileError(
                f"batch_size {self.batch_size} is not a multiple of gradient_accumulation "
                f"{self.gradient_accumulation}; change one of them"
            )
