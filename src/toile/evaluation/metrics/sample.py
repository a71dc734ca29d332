"""What a per-image metric looks at: one picture made by a system, with whatever is known about the truth."""

from dataclasses import dataclass

from PIL import Image

from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class WornGarment:
    """One garment that the prediction is to show, for the metrics that compare garment by garment.

    Raises:
        ToileError: when a picture has another mode than its field says.
    """

    kind: str
    """What it is: upper, lower, dress, hat, ..."""
    picture: Image.Image
    """The flat garment, RGB."""
    region: Image.Image | None
    """Where it is worn in the prediction, "L", 0 or 255; None where that is not known."""

    def __post_init__(self) -> None:
        """Refuse pictures of another mode."""
        _check_mode(self.picture, "RGB", f"the picture of the garment {self.kind!r}")
        if self.region is not None:
            _check_mode(self.region, "L", f"the region of the garment {self.kind!r}")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One item of an evaluation. What is None or empty is not known, or not part of the task.

    Raises:
        ToileError: when a picture has another mode or size than its field says, or the identifier is empty.
    """

    identifier: str
    """Names the item within its evaluation."""
    prediction: Image.Image
    """What the system made, RGB."""
    target: Image.Image | None = None
    """What it should have made, RGB, of the prediction's size."""
    silhouette: Image.Image | None = None
    """Where the true garment is in the target, "L", 0 or 255, of the prediction's size."""
    prompt: str | None = None
    """The text that the prediction was made from."""
    garments: tuple[WornGarment, ...] = ()
    """The garments that it was made from; their regions have the prediction's size."""
    category: str = ""
    """The garment's category, for breakdowns."""
    labels: frozenset[str] = frozenset()
    """What makes the item hard (occlusion, truncation, ...), for breakdowns."""

    def __post_init__(self) -> None:
        """Refuse what no metric could measure."""
        if not self.identifier:
            raise ToileError("a sample has an empty identifier; name it after its prediction's file")
        _check_mode(self.prediction, "RGB", f"{self.identifier}: the prediction")
        if self.target is not None:
            _check_mode(self.target, "RGB", f"{self.identifier}: the target")
            self._check_size(self.target, "target")
        if self.silhouette is not None:
            _check_mode(self.silhouette, "L", f"{self.identifier}: the silhouette")
            self._check_size(self.silhouette, "silhouette")
        for garment in self.garments:
            if garment.region is not None:
                self._check_size(garment.region, f"region of the garment {garment.kind!r}")

    def _check_size(self, picture: Image.Image, what: str) -> None:
        if picture.size != self.prediction.size:
            own, wanted = (f"{width}×{height}" for width, height in (picture.size, self.prediction.size))
            raise ToileError(
                f"{self.identifier}: the {what} has {own} pixels and the prediction {wanted}; "
                "bring them to one size before measuring"
            )


def _check_mode(picture: Image.Image, mode: str, what: str) -> None:
    if picture.mode != mode:
        raise ToileError(f"{what} has the mode {picture.mode!r}; convert it to {mode!r}")
