"""What every evaluation gives: per-image values of each method, from which means and intervals follow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from toile.data.record import CATEGORIES, Category
from toile.data.tensors import to_tensor
from toile.errors import ToileError
from toile.evaluation.bootstrap import Interval, bootstrap_difference, bootstrap_mean

Values = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Per-image values of every method, from which every mean and interval follows."""

    size: tuple[int, int]
    """Height and width of the pictures compared."""
    higher_is_better: Mapping[str, bool]
    """Every metric, and whether more of it is better."""
    identifiers: Mapping[str, list[str]]
    """The pairs of each mode, in the order of the values."""
    values: Mapping[str, Values]
    """By mode, method and metric: one value a pair."""

    def interval(self, mode: str, method: str, metric: str) -> Interval:
        """A method's mean with its 95 % bootstrap interval."""
        return bootstrap_mean(np.array(self.values[mode][method][metric]))

    def difference(self, mode: str, first: str, second: str, metric: str) -> Interval:
        """The mean of first - second on the same pairs, with its 95 % bootstrap interval."""
        values = self.values[mode]
        return bootstrap_difference(np.array(values[first][metric]), np.array(values[second][metric]))

    def beats(self, mode: str, first: str, second: str, metric: str) -> bool:
        """Whether the first is better by more than the choice of pairs explains."""
        gain = self.difference(mode, first, second, metric)
        return gain.low > 0 if self.higher_is_better[metric] else gain.high < 0


@runtime_checkable
class Named(Protocol):
    """What can be told apart by where it comes from and what it is called there."""

    @property
    def source(self) -> str:
        """Where it comes from."""
        ...

    @property
    def identifier(self) -> str:
        """Its name within its source."""
        ...


Item = TypeVar("Item", bound=Named)


def check_not_empty(methods: Mapping[str, object], items: Mapping[str, Sequence[object]]) -> None:
    """Refuse an evaluation of nothing.

    Raises:
        ToileError: when there are no methods, or no pairs in one of the modes.
    """
    empty = [mode for mode, of_mode in items.items() if not len(of_mode)]
    if empty or not items or not methods:
        raise ToileError(
            f"nothing to evaluate: {f'no pairs for {empty[0]}' if empty else 'no pairs or no methods'}"
        )


def category_batches(categories: Sequence[Category], batch_size: int) -> Iterator[list[int]]:
    """The indices of items of one category at a time, at most so many."""
    for category in CATEGORIES:
        rows = [index for index, found in enumerate(categories) if found == category]
        for start in range(0, len(rows), batch_size):
            yield rows[start : start + batch_size]


def stacked(
    predictions: Sequence[Image.Image], count: int, size: tuple[int, int], name: str
) -> Float[Tensor, "B 3 H W"]:
    """A method's pictures as RGB in [0, 1].

    Args:
        predictions: what the method gave.
        count: how many it had to give.
        size: height and width that they must have.
        name: the method's, for messages.

    Raises:
        ToileError: when there are more or fewer, or one is of another size.
    """
    width_height = (size[1], size[0])
    wrong = next((p.size for p in predictions if p.size != width_height), None)
    if len(predictions) != count or wrong is not None:
        problem = f"a picture of {wrong}" if wrong else f"{len(predictions)} pictures for {count} pairs"
        raise ToileError(f"{name} gave {problem}; each pair needs one picture of {width_height}")
    return torch.stack([to_tensor(p.convert("RGB")) for p in predictions]).float() / 255  # (B, 3, H, W)
