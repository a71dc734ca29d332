"""What the page takes from whoever uses it, at most."""

from dataclasses import dataclass

from toile.errors import ToileError
from toile.tasks.models import Models
from toile.tasks.request import Request

MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what one person may ask for, and on how many may wait."""

    megabytes: float = 20.0
    """Size of one file, at most."""
    megapixels: float = 40.0
    """Pixels of one picture, at most: a small file may unpack to much."""
    candidates: int = 8
    """Seeds that are drawn at once."""
    garments: int = 12
    """Garments of one outfit."""
    steps: int = 100
    """Denoising steps."""
    waiting: int = 8
    """People who wait while somebody's picture is drawn; one more is asked to come back."""

    def __post_init__(self) -> None:
        """Refuse bounds that let nothing through.

        Raises:
            ToileError: naming the bound.
        """
        for name in ("megabytes", "megapixels", "candidates", "garments", "steps"):
            if getattr(self, name) <= 0:
                raise ToileError(f"{name} is {getattr(self, name)}; it must be more than 0")
        if self.waiting < 0:
            raise ToileError(f"waiting is {self.waiting}; it must be 0 or more")

    def check(self, request: Request, models: Models) -> None:
        """Refuse a request that takes too many steps, be they asked for or the models' own.

        Raises:
            ToileError: saying how many there may be.
        """
        most = max(request.steps(models))
        if most > self.steps:
            raise ToileError(f"steps is {most}; it must lie between 1 and {self.steps}")

    @property
    def file_bytes(self) -> int:
        """Bytes of one file, at most."""
        return int(self.megabytes * MEGA)

    @property
    def pixels(self) -> int:
        """Pixels of one picture, at most."""
        return int(self.megapixels * MEGA)
