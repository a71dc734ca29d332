"""Try-on without a truth: persons in others' garments, and how far such pictures lie from real photos.

Legend: `N` pictures, `C` features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from toile.data.record import GarmentPair
from toile.errors import ToileError
from toile.evaluation.bootstrap import Interval
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.frechet import frechet_distance
from toile.evaluation.report import category_batches, check_not_empty, stacked
from toile.evaluation.try_on import TryOn, others_garments, photos_and_masks

METRIC = "Fréchet distance on doll features"
"""Not FID: the features are not Inception's, and figures of the two cannot be compared."""


@dataclass(frozen=True, kw_only=True)
class UnpairedReport:
    """The features of every method's pictures and of the photos, from which the distances follow."""

    size: tuple[int, int]
    """Height and width of the pictures."""
    identifiers: Mapping[str, list[str]]
    """By mode: who wears what, in the order of the features."""
    real: Mapping[str, Float[Tensor, "_ C"]]
    """By mode: the features of the same persons' own photos."""
    drawn: Mapping[str, Mapping[str, Float[Tensor, "_ C"]]]
    """By mode and method: the features of its pictures."""

    def distance(self, mode: str, method: str) -> float:
        """How far a method's pictures lie from the photos as a set; lower is better."""
        return frechet_distance(self.drawn[mode][method], self.real[mode])

    def difference(
        self, mode: str, first: str, second: str, *, resamples: int = 300, seed: int = 0
    ) -> Interval:
        """First - second, with its 95 % interval over resampled persons, the same for both and the photos.

        A distance alone has no such interval: sets with repeated pictures lie farther apart than the sets
        that they were drawn from. Of the difference, that cancels as far as both methods suffer alike.
        """
        generator = np.random.default_rng(seed)
        count = len(self.real[mode])
        gaps = []
        for _ in range(resamples):
            rows = torch.from_numpy(generator.integers(0, count, size=count))
            real = self.real[mode][rows]
            gaps.append(
                frechet_distance(self.drawn[mode][first][rows], real)
                - frechet_distance(self.drawn[mode][second][rows], real)
            )
        low, high = np.quantile(gaps, [0.025, 0.975])
        mean = self.distance(mode, first) - self.distance(mode, second)
        return Interval(mean=mean, low=float(low), high=float(high))


@torch.no_grad()
def doll_vectors(features: DollFeatures, pictures: Float[Tensor, "N 3 H W"]) -> Float[Tensor, "N C"]:
    """One vector a picture (RGB in [0, 1]): the means of the last stage's feature maps.

    Ours: the last stage names a doll's attributes from such maps; its means are few enough that two hundred
    pictures give a covariance.
    """
    return features.features(pictures)[-1].mean(dim=(2, 3))


def evaluate_unpaired(
    methods: Mapping[str, TryOn],
    pairs: Mapping[str, Sequence[GarmentPair]],
    *,
    size: tuple[int, int],
    features: DollFeatures,
    seed: int = 0,
    batch_size: int = 8,
) -> UnpairedReport:
    """Dress every person in another's garment with every method, and take the features of the pictures.

    Args:
        methods: by name; each gets fittings of one category at a time.
        pairs: by mode; each needs another pair of its category beside it.
        size: height and width of the pictures.
        features: DISTS-dolls's network.
        seed: draws who wears whose garment.
        batch_size: fittings given to a method at a time.

    Raises:
        ToileError: when there are too few pairs, a mask is empty or covers everything, or a method gives
            pictures of another number or size.
    """
    check_not_empty(methods, pairs)
    few = next((mode for mode, of_mode in pairs.items() if len(of_mode) < 2), None)
    if few is not None:
        raise ToileError(f"{few} has one pair only; nobody else's garment is there to be worn")
    drawn: dict[str, dict[str, list[Tensor]]] = {mode: {name: [] for name in methods} for mode in pairs}
    real: dict[str, list[Tensor]] = {mode: [] for mode in pairs}
    identifiers: dict[str, list[str]] = {mode: [] for mode in pairs}
    for mode, of_mode in pairs.items():
        everybody = others_garments(of_mode, seed)
        batches = list(category_batches([fitting.category for fitting in everybody], batch_size))
        for rows in tqdm(batches, desc=f"trying on others' garments, {mode}", disable=None):
            fittings = [everybody[index] for index in rows]
            identifiers[mode] += [fitting.identifier for fitting in fittings]
            real[mode].append(doll_vectors(features, photos_and_masks(fittings, size)[0]))
            for name, method in methods.items():
                pictures = stacked(method(fittings), len(fittings), size, name)
                drawn[mode][name].append(doll_vectors(features, pictures))
    return UnpairedReport(
        size=size,
        identifiers=identifiers,
        real={mode: torch.cat(found) for mode, found in real.items()},
        drawn={
            mode: {name: torch.cat(found) for name, found in of_mode.items()}
            for mode, of_mode in drawn.items()
        },
    )
