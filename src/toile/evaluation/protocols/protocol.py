"""A protocol: everything about an evaluation that changes its figures, named, versioned and frozen.

Two figures may stand side by side when their protocols have the same hash.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from toile.errors import ToileError

Task = Literal["restore", "tryon", "takeoff", "dress"]
TASKS: tuple[Task, ...] = get_args(Task)
FLAT: frozenset[Task] = frozenset({"restore", "takeoff"})
"""The tasks whose truth is the flat garment: what one of them draws can be measured as the other."""
Dataset = Literal["viton-hd", "dresscode", "street-tryon", "dolls", "dressing"]
Resizing = Literal["none", "bilinear", "bicubic", "lanczos"]
"""How a picture comes to the protocol's size: not at all, or by one of Pillow's antialiased filters."""
Shape = Literal["stretch", "pad", "crop"]
"""Whether resizing changes the aspect, or keeps it and pads with white, or keeps it and cuts what is over."""
MaskUse = Literal["oracle", "predicted", "none"]
"""What a method may know of the region: the data's own mask, one that it makes from the photo, or nothing."""
Side = Literal["persons", "garments", "targets"]


@dataclass(frozen=True, kw_only=True)
class DollRules:
    """Which Paper Dolls, and how the generator that draws them is recognised."""

    first: int
    """The first doll's seed."""
    count: int
    """Dolls of each mode, with consecutive seeds."""
    modes: tuple[str, ...]
    """Studio, street."""
    size: tuple[int, int]
    """Height and width that they are drawn at."""
    drawing_sha256: str
    """Hash of the first dolls' pixels, or empty when no drawing is prescribed."""


@dataclass(frozen=True, kw_only=True)
class PairRules:
    """Who wears what in this evaluation."""

    dataset: Dataset
    """The data's kind."""
    split: str
    """The split's name; dolls have none."""
    paired: bool
    """Whether persons wear the garments of their photos, so that there is a truth for each picture."""
    categories: tuple[str, ...]
    """Which categories are measured."""
    count: int | None
    """How many pairs there must be; None where the source does not say."""
    list_sha256: str = ""
    """Hash of the sorted list of pairs; empty where the published list is not at hand."""
    duplicates_removed: bool = False
    """Whether test pairs that are in the training data too are left out."""
    exclusions_sha256: str = ""
    """Hash of the sorted identifiers that were left out; empty when there are none."""
    dolls: DollRules | None = None
    """Which dolls, where the data is drawn."""


@dataclass(frozen=True, kw_only=True)
class PictureRules:
    """What predicted pictures must be, and how they are compared with the truth."""

    size: tuple[int, int] | None
    """Height and width that pictures are compared at; None is each truth's own."""
    prediction_size: tuple[int, int] | None
    """Height and width that predictions must have; None is that of the comparison."""
    resizing: Resizing
    """Filter that brings predictions and truths of another size to `size`."""
    shape: Shape = "stretch"
    """Whether that keeps the aspect."""
    lossless: bool = True
    """Whether predictions must be files that lose nothing, as PNG."""
    truth_jpeg_quality: int | None = None
    """Quality at which the truth is encoded as JPEG once before it is compared; None is not at all."""
    repainted: bool | None = None
    """Whether the photo's own pixels are pasted back outside of the mask: yes, no, or None for either."""
    mask: MaskUse = "none"
    """What a method may know of the region."""
    cut_out: bool = False
    """Whether predictions may come with masks that cut the garment out on white before it is compared."""
    region: Literal["silhouette", "mask"] = "silhouette"
    """Where metrics of the garment alone look: its silhouette, or the agnostic mask of the photo."""
    sets_as_written: bool = False
    """Whether networks of sets see files in their own sizes instead of as they are compared."""


@dataclass(frozen=True, kw_only=True)
class ReferenceRules:
    """The real pictures that sets of predictions are compared with."""

    side: Side
    """Photos, flat garments, or what each prediction is compared with."""
    dataset: Dataset
    """Where they come from; another dataset than the pairs' must be given beside it."""
    split: str
    """Of which split."""
    paired_list: bool = True
    """Whether they are the pictures of the true pairs, whoever wears what in the predictions."""


@dataclass(frozen=True, kw_only=True)
class MetricUse:
    """One column of a protocol's table."""

    name: str
    """The metric's short name in `toile.evaluation.metrics.registry`."""
    scale: float = 1.0
    """What its values are multiplied by (KID: 1e3)."""
    size: tuple[int, int] | None = None
    """Height and width that this metric alone is computed at; None is the protocol's."""
    grey: bool = False
    """Whether it sees brightness alone (ITU-R 601-2, Pillow's "L") in all three channels."""
    definition: str = ""
    """What it computes, as the registry says; filled in when the protocol is used."""
    backbone: str = ""
    """The network that it stands on; empty for none."""


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """How intervals are made."""

    confidence: float = 0.95
    """Of each interval."""
    resamples: int = 2000
    """Of pictures, for means."""
    set_resamples: int = 100
    """Of features, for metrics of whole sets; 0 gives those no intervals."""
    seed: int = 0
    """Of the resampling, and of metrics that draw subsets."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How an evaluation is done.

    Raises:
        ToileError: when there are no metrics, one is named twice, or the seeds and sizes make no sense.
    """

    name: str
    """What it is called on the command line."""
    version: int
    """Goes up with every change of meaning."""
    title: str
    """What it measures, in one line."""
    source: str
    """Where it comes from: a paper's tables, a repository's files."""
    task: Task
    """What the pictures were made by."""
    pairs: PairRules
    """Which pairs."""
    pictures: PictureRules
    """Which pictures, and how they are compared."""
    metrics: tuple[MetricUse, ...]
    """What is computed, in the order of the table."""
    reference: ReferenceRules | None = None
    """The real set; None when no metric needs one."""
    statistics: Statistics = Statistics()
    """How intervals are made."""
    silences: tuple[str, ...] = ()
    """What the source does not say, and what is done instead."""

    def __post_init__(self) -> None:
        """Refuse a protocol that measures nothing."""
        names = [metric.name for metric in self.metrics]
        if not names or len(set(names)) != len(names):
            raise ToileError(f"protocol {self.name!r} has the metrics {names}; it needs each once, and one")
        if self.task not in TASKS:
            raise ToileError(f"task {self.task!r} is unknown; write one of {', '.join(TASKS)}")
        if not 0 < self.statistics.confidence < 1 or self.version < 1:
            raise ToileError(f"protocol {self.name!r} needs a version from 1 on and a confidence in (0, 1)")

    @property
    def hash(self) -> str:
        """sha256 of `canonical_json`: two results with the same one were measured alike."""
        return hashlib.sha256(canonical_json(asdict(self)).encode()).hexdigest()


def canonical_json(content: object) -> str:
    """One way to write a value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
