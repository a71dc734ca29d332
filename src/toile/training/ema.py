"""The exponential moving average of the weights: what is validated, sampled and exported.

Why not `diffusers.training_utils.EMAModel`: it copies frozen parameters too, counts its own steps, and
saves through a model's configuration. This one holds exactly what trains, in float32, by name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from toile.errors import ToileError


class WeightAverage:
    """Float32 `averages` of the named parameters, on the parameters' device."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        """Start from the parameters as they are."""
        self.decay = decay
        self._parameters = dict(parameters)
        self.averages: dict[str, Tensor] = {
            name: parameter.detach().float().clone() for name, parameter in self._parameters.items()
        }

    def decay_at(self, step: int) -> float:
        """The decay after `step` updates: lower at first, so that the initial weights are soon forgotten.

        Source: diffusers' `EMAModel.get_decay` without warm-up.
        """
        return min(self.decay, (1 + step) / (10 + step))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step number `step`, counted from 0."""
        current = [parameter.detach().float() for parameter in self._parameters.values()]
        torch._foreach_lerp_(list(self.averages.values()), current, 1 - self.decay_at(step))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within it, the model has the averaged weights; afterwards its own again, bit for bit."""
        own = {name: parameter.detach().clone() for name, parameter in self._parameters.items()}
        self._assign(self.averages)
        try:
            yield
        finally:
            self._assign(own)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a checkpoint.

        Raises:
            ToileError: when it holds other parameters.
        """
        if state.keys() != self.averages.keys():
            names = sorted(state.keys() ^ self.averages.keys())
            raise ToileError(
                f"the checkpoint's averages are of another model: {names[0]!r} is on one side only"
            )
        for name, average in self.averages.items():
            average.copy_(state[name])

    @torch.no_grad()
    def _assign(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])
