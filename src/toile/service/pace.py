"""How fast requests are drawn, to tell those that are refused when to come back."""

import math

MEMORY = 0.8
"""How much of the estimate stays when a batch has been measured."""
FIRST_GUESS = 2.0
"""Seconds a request, before anything was measured."""
LONGEST = 600
"""Seconds that anybody is sent away for, at most."""


class Pace:
    """A running mean of the seconds that a request takes."""

    def __init__(self) -> None:
        self.seconds = FIRST_GUESS
        """Seconds a request."""
        self._measured = False

    def measure(self, requests: int, seconds: float) -> None:
        """A batch was drawn."""
        kept = MEMORY if self._measured else 0.0
        self.seconds = kept * self.seconds + (1 - kept) * seconds / requests
        self._measured = True

    def retry_after(self, requests: int) -> int:
        """Whole seconds in which so many requests will have been drawn."""
        return min(max(1, math.ceil(requests * self.seconds)), LONGEST)
