"""How a training runs, apart from what it computes."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from toile.data.readable import Broken
from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Where a run is written, how often, and on what machine. Of these only the seed changes the result.

    Raises:
        ToileError: when a value makes no sense.
    """

    folder: Path
    """Receives checkpoints, metrics, samples and the export; a run that is already there is continued."""
    seed: int = 0
    """Decides the order of the data, the noise and all other randomness."""
    save_every: int = 500
    """Steps between two checkpoints; the last step always has one."""
    keep: int = 2
    """How many of the newest checkpoints stay on disk."""
    validate_every: int = 0
    """Steps between two validations; 0 never validates."""
    sample_every: int = 0
    """Steps between two sample pictures; 0 draws none."""
    log_every: int = 10
    """Steps between two lines of metrics, each the mean since the line before."""
    workers: int = 0
    """Processes that read data ahead; 0 reads in the training process."""
    device: str | None = None
    """"cpu" or "cuda"; None takes what accelerate finds."""
    threads: int | None = None
    """Threads of torch on the CPU; None leaves them as they are."""

    broken: Broken = "skip"
    """What a pair that cannot be read does: it is named and gives its place to another, or stops the run."""

    def __post_init__(self) -> None:
        """Refuse values that cannot run."""
        for name in ("save_every", "keep", "log_every"):
            if getattr(self, name) < 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("validate_every", "sample_every", "workers"):
            if getattr(self, name) < 0:
                raise ToileError(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.broken not in get_args(Broken):
            raise ToileError(f"broken is {self.broken!r}; write {' or '.join(get_args(Broken))}")
        if self.device not in (None, "cpu", "cuda"):
            raise ToileError(f"device is {self.device!r}; write cpu or cuda, or leave it out")
        if self.threads is not None and self.threads < 1:
            raise ToileError(f"threads is {self.threads}; it must be at least 1")
