"""What a training starts from and reads."""

from dataclasses import dataclass, field
from pathlib import Path

from toile.data.augmentation import AugmentationSettings
from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Data, and what was trained before."""

    data: str = "dolls:0:8000:mixed"
    """Pairs to train on: dolls:FIRST:COUNT[:street|:mixed], or a folder in VITON-HD or DressCode layout."""
    unseen: str = "dolls:9991000:256:mixed"
    """Pairs to validate on, in the same words."""
    curation: Path | None = None
    """What `toile data curate` wrote about `data`, for IGR's fine stage; None goes by the pairs' labels."""
    augmented_epochs: int = 0
    """How often each pair is trained on, changed by chance each time; 0 takes pairs as they are."""
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    """How much pairs are changed then."""
    initial: str | None = None
    """What to start from: a folder or a hub name in diffusers layout; None takes what the recipe says."""
    cache: Path | None = Path("runs/cache")
    """Where pairs encoded ahead are kept, for every training that encodes them alike; None encodes pairs in
    the step that needs them."""

    def __post_init__(self) -> None:
        """Refuse what cannot be read."""
        if self.augmented_epochs < 0:
            raise ToileError(f"augmented_epochs is {self.augmented_epochs}; it must be at least 0")

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
