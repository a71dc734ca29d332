"""Why an evaluation is refused: each reason has a name, and most can be overridden, which is noted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toile.errors import ToileError

REASONS: Mapping[str, str] = {
    "no-predictions": "",
    "unreadable": "",
    "collision": "",
    "unmatched": "",
    "linked": "",
    "sheet": "",
    "missing": "the pairs without a prediction are left out",
    "extra": "the pictures of no pair are not looked at",
    "nested": "the pictures in subfolders are not looked at",
    "unfinished": "the unfinished files are not looked at",
    "mislabelled": "the content of a file counts, not its name",
    "lossy": "the pictures have been compressed with loss before they were measured",
    "size": "the pictures were brought to the protocol's size",
    "colour-mode": "the pictures were converted to RGB",
    "transparent": "transparent pixels were laid on white",
    "turned": "the pictures were turned upright by their EXIF",
    "animated": "the first frame of each file counts",
    "colour-profile": "the colour profiles were not applied",
    "stale": "some pictures are older than the settings file beside them",
    "other-settings": "the pictures were made with different settings",
    "no-settings": "some pictures say how they were made and others do not",
    "blank": "some pictures show one colour only",
    "duplicates": "several predictions are the same picture",
    "equals-input": "some predictions are the method's own input",
    "equals-truth": "some predictions are the truth itself",
    "repainting": "the pictures are pasted back, or not, against the protocol",
    "data-folder": "the predictions lie within the data",
    "mixed-truth": "the real set mixes persons and garments",
    "other-pairs": "the pairs are not the protocol's",
    "other-masks": "predictions were cut out by masks, which the protocol does not provide for",
    "missing-weights": "metrics whose networks are missing were left out",
}
"""Every reason, and what is done when it is overridden; empty where it cannot be."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    reason: str
    """Of `REASONS`."""
    message: str
    """What is wrong, with numbers and a name."""


def check_allowed(allowed: Collection[str]) -> None:
    """Refuse overrides that do not exist, or that nothing could be measured with.

    Raises:
        ToileError: naming those that do.
    """
    wrong = next((name for name in allowed if not REASONS.get(name)), None)
    if wrong is not None:
        can = ", ".join(name for name, effect in REASONS.items() if effect)
        raise ToileError(f"{wrong!r} cannot be allowed; what can: {can}")


def refuse(predictions: Path, findings: Sequence[Finding], allowed: Collection[str]) -> list[str]:
    """Raise unless every finding is allowed, and give the notes about those that are.

    Raises:
        ToileError: with every reason that is not, in one line.
    """
    refused = [finding for finding in findings if finding.reason not in allowed]
    if refused:
        said = "; ".join(f"[{finding.reason}] {finding.message}" for finding in refused)
        raise ToileError(f"{predictions} is not evaluated: {said}{_way_out(refused)}")
    return [f"{finding.message} (allowed: {REASONS[finding.reason]})" for finding in findings]


def _way_out(refused: Sequence[Finding]) -> str:
    names = list(dict.fromkeys(finding.reason for finding in refused))
    if not all(REASONS[name] for name in names):
        return ""
    return f". Mend that, or evaluate nevertheless with --allow {' '.join(names)}, which the result will say"


def some(names: Sequence[str], count: int | None = None) -> str:
    """How many there are, and the first of them."""
    total = len(names) if count is None else count
    return f"{total} ({names[0]}{', …' if total > 1 else ''})"
