"""The triplets that a run reads: opened, guarded against broken pictures, described in its configuration."""

from dataclasses import dataclass

from toile.data.open_triplets import ReadableTriplets, open_triplet_source
from toile.errors import ToileError
from toile.training.pairs import Description, describe, faults_of
from toile.training.settings import RunSettings
from toile.training.sources import Sources


@dataclass(frozen=True, kw_only=True)
class RunTriplets:
    """What a run trains on and what it is validated on."""

    training: ReadableTriplets
    """Triplets to train on."""
    unseen: ReadableTriplets
    """Triplets to validate on."""
    description: Description
    """For the configuration: each source, its number of triplets and its fingerprint."""


def open_run_triplets(
    sources: Sources, run: RunSettings, size: tuple[int, int], kinds: tuple[str, ...], vary_captions: bool
) -> RunTriplets:
    """Open what a run reads.

    Args:
        sources: names the triplets.
        run: names the folder that keeps what cannot be read, and says what a broken triplet does.
        size: height and width that dolls are drawn at.
        kinds: kinds of garments that are trained on; triplets with none of them are passed over.
        vary_captions: whether dolls' clothes are described in some captions and left out of others.

    Raises:
        ToileError: when a source cannot be opened, or triplets are to be changed by chance.
    """
    if sources.augmented_epochs:
        raise ToileError(
            f"augmented_epochs is {sources.augmented_epochs}; triplets are taken as they are, leave it at 0"
        )
    named = {"training": sources.data, "unseen": sources.unseen}
    guarded = {
        name: ReadableTriplets(
            open_triplet_source(source, size=size, vary_captions=vary_captions),
            faults_of(run.folder),
            kinds=kinds,
            broken=run.broken,
        )
        for name, source in named.items()
    }
    description = describe(named, guarded, "triplets")
    return RunTriplets(training=guarded["training"], unseen=guarded["unseen"], description=description)
