"""What can be trained: the interface between the loop and a model with its data."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset


@runtime_checkable
class Task(Protocol):
    """A model, its data and its loss.

    A task must be built alike each time (seed the initial weights): a run that is killed before its first
    checkpoint starts anew, and checkpoints hold what trains, not what is frozen.
    """

    @property
    def name(self) -> str:
        """A short name for messages and files."""
        ...

    @property
    def model(self) -> nn.Module:
        """What is saved; exactly the parameters with `requires_grad` are trained."""
        ...

    @property
    def dataset(self) -> Dataset[dict[str, Tensor]]:
        """Map-style, with a length; augmentation may use the global generators (seeded for each item)."""
        ...

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The scalar to minimise under "loss"; other scalars are logged.

        Args:
            model: `self.model`, perhaps wrapped for several processes: call it, do not reach into it.
            batch: collated items on the training device.
            generator: on the training device, seeded from (seed, step, micro-batch); draw noise from it.
        """
        ...

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Figures worth following, from the averaged weights; on the main process, without gradients."""
        ...

    def sample(self, model: nn.Module) -> Image.Image | None:
        """A picture worth looking at, from the averaged weights; None when there is nothing to see."""
        ...

    def export(self, model: nn.Module, folder: Path) -> None:
        """Write the model into an empty folder, in diffusers layout."""
        ...
