"""How a service is set up: what it offers, to whom, and how much it takes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from toile.errors import ToileError
from toile.service.limits import Limits
from toile.tasks.every import REQUESTS
from toile.tasks.models import System

TASKS: Mapping[str, tuple[System, ...]] = {task: kind.systems for task, kind in REQUESTS.items()}
"""The tasks that can be offered, and the systems that each needs."""
SHORTEST_TOKEN = 8


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a service is set up."""

    tasks: tuple[str, ...] = tuple(TASKS)
    """The tasks that it offers; only their models are loaded."""
    queue: int = 16
    """Requests that may wait or be on their way in; one more is answered 429."""
    batch: int = 4
    """Requests of one kind that are drawn at once, at most."""
    wait_ms: float = 50
    """Milliseconds to wait for requests that are just arriving, so that they share a batch."""
    token: str | None = field(default=None, repr=False)
    """What a client has to show as `Authorization: Bearer TOKEN`; None asks for nothing."""
    hosts: tuple[str, ...] | None = None
    """Names that it may be addressed by; None is any."""
    grace: float = 30
    """Seconds that accepted work may take to be finished and fetched when the service is told to stop."""
    limits: Limits = field(default_factory=Limits)
    """What a request may cost."""

    def __post_init__(self) -> None:
        """Refuse what no service can be.

        Raises:
            ToileError: naming the setting, its value, and what it may be.
        """
        for task in self.tasks:
            if task not in TASKS:
                raise ToileError(f"task {task!r} is unknown; write some of {', '.join(TASKS)}")
        if not self.tasks:
            raise ToileError(f"there is no task to offer; write some of {', '.join(TASKS)}")
        for name in ("queue", "batch"):
            if getattr(self, name) < 1:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("wait_ms", "grace"):
            if not getattr(self, name) >= 0:
                raise ToileError(f"{name.replace('_', ' ')} is {getattr(self, name):g}; it must be 0 or more")
        if self.token is not None:
            _check_token(self.token)

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems that the tasks need, each once."""
        return tuple(dict.fromkeys(system for task in self.tasks for system in TASKS[task]))


def _check_token(token: str) -> None:
    """Refuse a token that is easily guessed, or that no header can carry; it is not repeated."""
    if len(token) < SHORTEST_TOKEN or not all("!" <= sign <= "~" for sign in token):
        raise ToileError(
            f"the token has {len(token)} signs; write at least {SHORTEST_TOKEN}, letters, digits and "
            "punctuation without spaces"
        )
