"""What all tabs of the page share: the models, the limits, who is served, and where pictures lie."""

from dataclasses import dataclass, field
from pathlib import Path

from toile.app.limits import Limits
from toile.app.running import Turns, WorkInProgress
from toile.tasks.atelier import Atelier


@dataclass(frozen=True, kw_only=True)
class Workroom:
    """Everything behind the page."""

    atelier: Atelier
    """The models."""
    folder: Path
    """Where uploads and results lie while the page is served; nothing else of the computer is reachable."""
    limits: Limits = field(default_factory=Limits)
    """What it takes, at most."""
    in_progress: WorkInProgress = field(default_factory=WorkInProgress)
    """What each visitor is waiting for."""
    turns: Turns = field(init=False)
    """Who is served next."""

    def __post_init__(self) -> None:
        """Open the line."""
        object.__setattr__(self, "turns", Turns(self.limits.waiting))

    @property
    def results(self) -> Path:
        """The folder of results."""
        return self.folder / "results"
