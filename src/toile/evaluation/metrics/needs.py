"""Whether samples have what a metric needs."""

from collections.abc import Sequence

from toile.errors import ToileError
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import MetricSpec


def lacks(spec: MetricSpec, sample: Sample) -> list[str]:
    """What the metric needs and the sample does not have, sorted."""
    has = {
        "target": sample.target is not None,
        "silhouette": sample.silhouette is not None,
        "prompt": sample.prompt is not None,
        "garments": bool(sample.garments),
        "regions": all(garment.region is not None for garment in sample.garments),
    }
    return sorted(need for need in spec.needs if not has[need])


def check_needs(spec: MetricSpec, samples: Sequence[Sample]) -> None:
    """Refuse samples that the metric cannot measure.

    Raises:
        ToileError: when one lacks something.
    """
    for sample in samples:
        missing = lacks(spec, sample)
        if missing:
            raise ToileError(
                f"{sample.identifier} has no {' and no '.join(missing)}; {spec.name} cannot do without"
            )
