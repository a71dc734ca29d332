"""Random choices for Paper Dolls, the same on every machine.

Only uniform numbers of PCG64 are used, so that no choice hangs on a platform's mathematical library.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """One named stream of random choices that belongs to a seed.

    Streams of different names are independent: adding a choice to one (the pose, say) leaves all the others
    (clothes, colours, background) as they were.
    """

    def __init__(self, seed: int, *names: str) -> None:
        """Opens the stream `names` of `seed`."""
        tags = [zlib.crc32(name.encode()) for name in names]
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *tags])))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * float(self._generator.random())

    def sign(self) -> float:
        """-1 or 1."""
        return 1.0 if self._generator.random() < 0.5 else -1.0

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return bool(self._generator.random() < probability)

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high)."""
        return low + int(self._generator.random() * (high - low))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[self.integer(0, len(options))]

    def weighted(self, options: Mapping[T, float]) -> T:
        """One of the options, drawn by weight (weights need not add up to 1)."""
        left = self.uniform(0.0, sum(options.values()))
        for option, weight in options.items():
            left -= weight
            if left < 0:
                return option
        return next(reversed(list(options)))

    def array(self, *shape: int) -> np.ndarray:
        """Numbers in [-1, 1) as a float64 array."""
        return self._generator.random(shape) * 2.0 - 1.0
