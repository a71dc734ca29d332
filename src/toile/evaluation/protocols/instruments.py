"""The metrics and networks of one evaluation, made once a process."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.registry import make_extractor, make_metric
from toile.evaluation.metrics.spec import FeatureExtractor, MetricSpec, PerImageMetric, SetMetric
from toile.evaluation.protocols.protocol import MetricUse
from toile.evaluation.protocols.result import MetricDescription


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """What measures."""

    per_image: Mapping[str, PerImageMetric]
    """By the metric's short name."""
    of_sets: Mapping[str, SetMetric]
    """By the metric's short name."""
    extractors: Mapping[str, FeatureExtractor]
    """By the name that the metrics of sets ask for."""

    def spec(self, name: str) -> MetricSpec:
        """What a metric is."""
        found: PerImageMetric | SetMetric = (
            self.per_image[name] if name in self.per_image else self.of_sets[name]
        )
        return found.spec


def make_instruments(
    names: Sequence[str], backbones: Backbones, device: str, *, skip_missing: bool = False
) -> tuple[Instruments, list[str]]:
    """Make metrics by their short names, and the networks that they stand on.

    Returns:
        The instruments, and one line for each metric that was left out.

    Raises:
        ToileError: when a name is unknown, or weights are missing and may not be.
    """
    per_image: dict[str, PerImageMetric] = {}
    of_sets: dict[str, SetMetric] = {}
    extractors: dict[str, FeatureExtractor] = {}
    skipped = []
    for name in names:
        try:
            metric = make_metric(name, backbones, device)
            if isinstance(metric, SetMetric):
                if metric.extractor not in extractors:
                    extractors[metric.extractor] = make_extractor(metric.extractor, backbones, device)
                of_sets[name] = metric
            else:
                per_image[name] = metric
        except ToileError as error:
            if not skip_missing:
                raise
            skipped.append(f"{name} was left out: {error}")
    if not per_image and not of_sets:
        raise ToileError("no metric is left to compute; give the weights that they need")
    return Instruments(per_image=per_image, of_sets=of_sets, extractors=extractors), skipped


def used(uses: Sequence[MetricUse], instruments: Instruments) -> tuple[MetricUse, ...]:
    """The metrics that there are, with what each computes."""
    present: Collection[str] = instruments.per_image.keys() | instruments.of_sets.keys()
    return tuple(
        replace(
            use,
            definition=instruments.spec(use.name).definition,
            backbone=instruments.spec(use.name).backbone or "",
        )
        for use in uses
        if use.name in present
    )


def describe(use: MetricUse, instruments: Instruments) -> MetricDescription:
    """A metric as a column of the result, its scale and its own size in the name."""
    spec = instruments.spec(use.name)
    name = spec.name if use.scale == 1 else f"{spec.name} × {use.scale:g}"
    if use.size is not None:
        name += f" at {use.size[0]}×{use.size[1]}"
    if use.grey:
        name += ", grey"
    return MetricDescription(
        name=name,
        higher_is_better=spec.higher_is_better,
        low=spec.low * use.scale,
        high=spec.high * use.scale,
        definition=spec.definition,
        backbone=spec.backbone,
        scale=use.scale,
        of_sets=use.name in instruments.of_sets,
    )
