"""What a training starts from and reads."""

from dataclasses import dataclass
from pathlib import Path

from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Data, and what was trained before."""

    data: str = "dolls:0:8000:mixed"
    """Pairs to train on: dolls:FIRST:COUNT[:street|:mixed], or a folder in VITON-HD or DressCode layout."""
    unseen: str = "dolls:9991000:256:mixed"
    """Pairs to validate on, in the same words."""
    initial: str | None = None
    """What to start from: a folder or a hub name in diffusers layout; None takes what the recipe says."""
    cache: Path = Path("runs/cache")
    """Where pairs encoded ahead are kept; trainings on the same pairs with the same VAE share them."""

    def base(self) -> Path:
        """The folder to start from.

        Raises:
            ToileError: when there is none.
        """
        if self.initial is None or not Path(self.initial).is_dir():
            raise ToileError(
                f"initial is {self.initial!r}; give the export folder of the training before this one"
            )
        return Path(self.initial)
