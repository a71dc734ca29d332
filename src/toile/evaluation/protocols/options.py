"""How an evaluation runs."""

from dataclasses import dataclass, field
from pathlib import Path

from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.protocols.reasons import check_allowed
from toile.evaluation.protocols.regions import Regions


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """How an evaluation runs, and what it may overlook; nothing here changes a figure unseen.

    Raises:
        ToileError: when a number makes no sense, or something that cannot be overlooked is.
    """

    allowed: tuple[str, ...] = ()
    """Reasons of `reasons.REASONS` that do not stop it."""
    metrics: tuple[str, ...] = ()
    """Short names of metrics to compute instead of the protocol's; empty means the protocol's."""
    exclusions: tuple[str, ...] = ()
    """Identifiers of pairs that are left out."""
    count: int | None = None
    """Only the first so many pairs (of dolls: of each mode); None is all."""
    reference: str | None = None
    """Where the real set lies, when it is not in the data itself."""
    cut: Path | None = None
    """A folder of masks, named as the predictions, that cut the garment out first."""
    regions: Regions = field(default_factory=Regions)
    """Finds where garments are worn in predictions."""
    backbones: Backbones = field(default_factory=Backbones)
    """Where the weights of networks lie."""
    device: str = "cpu"
    """Where networks run."""
    batch_size: int = 8
    """Pictures that are measured at a time."""
    workers: int = 0
    """Processes that share the work; 0 does it here."""
    keep: bool = False
    """Keep the folder of chunks when all is done: values and features of every picture."""
    name: str = ""
    """What the predictions are called in tables; empty takes the folder's name."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        check_allowed(self.allowed)
        if self.batch_size < 1 or self.workers < 0 or (self.count is not None and self.count < 2):
            raise ToileError(
                f"batch size {self.batch_size}, {self.workers} workers and a count of {self.count} make no "
                "evaluation; the batch is at least 1, workers are at least 0, and the count at least 2"
            )
