"""What a request may cost at most: bytes, pixels, steps, time. Everything that is held or done is bounded."""

from dataclasses import dataclass, fields

from toile.errors import ToileError
from toile.tasks.models import Models
from toile.tasks.request import Request

MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a request may cost at most, and what is kept of those that are done."""

    max_megabytes: float = 32
    """Megabytes (10⁶ bytes) of a request, all its pictures together."""
    max_megapixels: float = 50
    """Megapixels of all pictures of a request together."""
    max_canvas: float = 1.1
    """Megapixels that a request may have drawn, by its size; 1024x1024 has 1.05."""
    max_steps: int = 100
    """Denoising steps of one picture."""
    max_candidates: int = 4
    """Seeds that one request may try."""
    max_garments: int = 8
    """Garments of one outfit."""
    max_upload_seconds: float = 30
    """For a request to arrive whole."""
    max_queue_seconds: float = 60
    """For an accepted request to wait until it is drawn."""
    max_work_seconds: float = 300
    """For it to be drawn; work that takes longer is stopped at its next step."""
    keep_results: int = 100
    """Finished jobs whose results are kept; the oldest goes first."""
    keep_megabytes: float = 256
    """Megabytes of all results that are kept."""
    keep_seconds: float = 600
    """For a job's result to be fetched."""

    def __post_init__(self) -> None:
        """Refuse a limit that nothing passes."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ToileError(f"{field.name.replace('_', ' ')} is {value:g}; it must be above 0")

    @property
    def max_bytes(self) -> int:
        """Bytes of a request."""
        return round(self.max_megabytes * MEGA)

    @property
    def max_pixels(self) -> int:
        """Pixels of all pictures of a request together."""
        return round(self.max_megapixels * MEGA)

    def check(self, request: Request, models: Models) -> None:
        """Refuse a request that would cost too much.

        Raises:
            ToileError: naming the setting, its value and the limit.
        """
        garments = sum(len(pictures) for pictures in getattr(request, "garments", {}).values())
        height, width = request.drawing.size or (0, 0)
        _check_most("steps", max(request.steps(models)), self.max_steps)
        _check_most("candidates", getattr(request, "candidates", 1), self.max_candidates)
        _check_most("the number of garments", garments, self.max_garments)
        if height * width > self.max_canvas * MEGA:
            raise ToileError(
                f"size is {height}x{width}; this service draws at most {self.max_canvas:g} megapixels"
            )


def _check_most(name: str, value: int, most: int) -> None:
    if value > most:
        raise ToileError(f"{name} is {value}; this service allows at most {most}")
