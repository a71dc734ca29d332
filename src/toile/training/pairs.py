"""The pairs that a run reads: opened, guarded against broken pictures, and described in its configuration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toile.data.augmentation import AugmentedPairs
from toile.data.faults import FaultLog
from toile.data.open import open_pairs
from toile.data.open_triplets import ReadableTriplets
from toile.data.readable import ReadablePairs
from toile.data.record import GarmentPair
from toile.training.settings import RunSettings
from toile.training.sources import Sources

Change = Callable[[Sequence[GarmentPair]], Sequence[GarmentPair]]
Description = dict[str, dict[str, str | int]]


@dataclass(frozen=True, kw_only=True)
class RunPairs:
    """What a run trains on and what it is validated on."""

    training: ReadablePairs
    """Pairs to train on."""
    unseen: ReadablePairs
    """Pairs to validate on."""
    description: Description
    """For the configuration: each source, its number of pairs and its fingerprint."""


def faults_of(run: Path) -> FaultLog:
    """What a run could not read."""
    return FaultLog(run / "faults")


def open_run_pairs(
    sources: Sources, run: RunSettings, size: tuple[int, int], change: Change | None = None
) -> RunPairs:
    """Open what a run reads.

    Args:
        sources: names the pairs.
        run: names the folder that keeps what cannot be read, and says what a broken pair does.
        size: height and width that pictures are fitted to.
        change: what is done to the pairs that are trained on, such as leaving some out.

    Raises:
        ToileError: when a source cannot be opened.
    """
    named = {"training": sources.data, "unseen": sources.unseen}
    opened = {name: open_pairs(source, size=size) for name, source in named.items()}
    if change is not None:
        opened["training"] = change(opened["training"])
    if sources.augmented_epochs:
        opened["training"] = AugmentedPairs(
            opened["training"], sources.augmentation, seed=run.seed, epochs=sources.augmented_epochs
        )
    guarded = {
        name: ReadablePairs(pairs, faults_of(run.folder), broken=run.broken) for name, pairs in opened.items()
    }
    description = describe(named, guarded, "pairs")
    return RunPairs(training=guarded["training"], unseen=guarded["unseen"], description=description)


def describe(
    sources: Mapping[str, str], opened: Mapping[str, ReadablePairs | ReadableTriplets], items: str
) -> Description:
    """What a run reads, for its configuration: each source, the number of its items, its fingerprint."""
    return {
        name: {"source": sources[name], items: len(data), "fingerprint": data.fingerprint()}
        for name, data in opened.items()
    }
