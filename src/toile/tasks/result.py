"""What comes of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one request."""

    pictures: Mapping[str, Image.Image]
    """By what they show: the result itself first (`garment`, `worn` or `dressed`), then whatever else there
    is: `silhouette`, the `mask` that was used, the `garment` that was swapped."""
    metadata: Mapping[str, object]
    """What every PNG of it carries: version, model, and all settings."""
    notes: tuple[str, ...] = ()
    """Remarks for whoever asked, one line each."""
    scores: Mapping[int, float] = field(default_factory=dict)
    """Of each seed that was tried, how far the garment that came back is from the true one (less: better)."""
    candidates: Mapping[int, Image.Image] = field(default_factory=dict)
    """The picture of each of these seeds."""

    @property
    def main(self) -> Image.Image:
        """The result itself."""
        return next(iter(self.pictures.values()))
