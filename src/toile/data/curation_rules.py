"""From measures to a decision: which reasons count against a pair, and which pairs make the fine stage."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from toile.data.hardness_measures import REASONS, Measures
from toile.data.record import MENDABLE
from toile.errors import ToileError

UNREADABLE = "unreadable"
"""The reason of a pair whose pictures cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """From which score on a reason counts. Ours: set on 800 dolls with the seeds 100000 to 100399.

    Raises:
        ToileError: when one lies outside [0, 1].
    """

    occlusion: float = 0.29
    """Share of the worn garment that arms, hair, a bag or another garment hides."""
    truncation: float = 0.26
    """How much of the worn garment's outline is the frame's edge."""
    side_view: float = 0.5
    """How far the flat garment, or the person, is turned aside."""
    extreme_proportion: float = 0.2
    """How far the flat garment's size or aspect leaves the usual; such garments are padded, not dropped."""
    mismatch: float = 0.45
    """How far the worn garment's colours are from the flat one's."""
    hidden_detail: float = 0.1
    """An occlusion that hides no larger share of the garment's detail than this stays in, as a hard case."""

    def __post_init__(self) -> None:
        """Refuse what no score can be compared with."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 <= value <= 1:
                raise ToileError(f"the threshold {field.name} is {value}; it must lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What follows for one pair from its measures alone."""

    reasons: frozenset[str]
    """The reasons that apply."""
    hard_case: bool
    """Whether it is occluded or truncated, but not so much that it has to go (IGR, Sec. 1)."""
    quality: float
    """How far its scores stay below the thresholds, in [0, 1]: the mean over all reasons, 0 where unknown."""

    @property
    def acceptable(self) -> bool:
        """Whether nothing speaks against the pair but what padding mends."""
        return not self.reasons - MENDABLE


BROKEN = Verdict(reasons=frozenset({UNREADABLE}), hard_case=False, quality=0.0)
"""Of a pair that cannot be read."""


def judge(measures: Measures, thresholds: Thresholds) -> Verdict:
    """Compare a pair's scores with the thresholds.

    Ours: the paper decides by eye. A garment that is turned aside is narrow for that reason, so its
    proportion does not count as extreme.
    """
    reasons = {name for name, score in measures.scores.items() if score > getattr(thresholds, name)}
    detail = measures.hidden_detail
    if detail is not None and detail <= thresholds.hidden_detail:
        reasons.discard("occlusion")
    if "side_view" in reasons:
        reasons.discard("extreme_proportion")
    return Verdict(
        reasons=frozenset(reasons),
        hard_case=_is_hard_case(measures.scores, thresholds, reasons),
        quality=_quality(measures.scores, thresholds),
    )


def _is_hard_case(scores: Mapping[str, float], thresholds: Thresholds, reasons: set[str]) -> bool:
    """Ours: from half of a threshold on, something is hidden or cut off that can be seen."""
    kept = {"occlusion", "truncation"} - reasons
    return any(scores.get(name, 0.0) > getattr(thresholds, name) / 2 for name in kept)


def _quality(scores: Mapping[str, float], thresholds: Thresholds) -> float:
    margins = (1 - min(1.0, score / max(getattr(thresholds, name), 1e-6)) for name, score in scores.items())
    return float(sum(margins)) / len(REASONS)


def best_share(verdicts: Sequence[Verdict], share: float) -> list[bool]:
    """Which pairs to keep: the best by quality of those that are acceptable, up to a share of all pairs.

    Pairs of equal quality are taken in their order.

    Args:
        verdicts: one a pair.
        share: of all pairs, in (0, 1]; the paper keeps 0.2. Fewer are kept where fewer are acceptable.

    Raises:
        ToileError: when the share is none.
    """
    if not 0 < share <= 1:
        raise ToileError(f"share is {share}; it must lie above 0 and at most at 1 (the paper's is 0.2)")
    acceptable = [index for index, verdict in enumerate(verdicts) if verdict.acceptable]
    acceptable.sort(key=lambda index: -verdicts[index].quality)
    kept = set(acceptable[: math.ceil(share * len(verdicts))])
    return [index in kept for index in range(len(verdicts))]
