"""Try-on against the truth: every method dresses each person in their own garment again, or in another's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from toile.data.record import CATEGORIES, Category, GarmentPair
from toile.data.tensors import pair_tensors
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics import l1_within, ssim
from toile.evaluation.report import Report, Values, category_batches, check_not_empty, stacked

DISTANCE = "DISTS-dolls"
METRICS: dict[str, bool] = {"SSIM": True, DISTANCE: False, "L1 inside": False, "L1 outside": False}
"""What is measured of each picture, and whether higher is better; inside and outside of the agnostic mask."""


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """A person, and the garment that they are to wear.

    Raises:
        ToileError: when the two are of different categories.
    """

    wearer: GarmentPair
    """Gives the photo and its agnostic mask."""
    garment: GarmentPair
    """Gives the flat garment and its silhouette."""

    def __post_init__(self) -> None:
        """Refuse what the mask has no place for."""
        if self.wearer.category != self.garment.category:
            raise ToileError(
                f"{self.identifier}: a garment of the category {self.garment.category!r} does not fit a mask "
                f"of the category {self.wearer.category!r}; take both from one category"
            )

    @property
    def paired(self) -> bool:
        """Whether the garment is the one in the photo, so that the photo is the truth."""
        mine, other = self.wearer, self.garment
        return (mine.source, mine.identifier) == (other.source, other.identifier)

    @property
    def category(self) -> Category:
        """The garment's."""
        return self.wearer.category

    @property
    def source(self) -> str:
        """The photo's."""
        return self.wearer.source

    @property
    def identifier(self) -> str:
        """Who wears what."""
        return f"{self.wearer.identifier} in {self.garment.identifier}"


TryOn = Callable[[Sequence[Fitting]], list[Image.Image]]
"""A method takes fittings of one category and gives their pictures, RGB of the asked-for size, in order."""


def own_garments(pairs: Sequence[GarmentPair]) -> list[Fitting]:
    """Each person in the garment of their photo."""
    return [Fitting(wearer=pair, garment=pair) for pair in pairs]


def others_garments(pairs: Sequence[GarmentPair], seed: int) -> list[Fitting]:
    """Each person in another's garment of the same category; every garment is worn once.

    The seed draws one cycle through the pairs of a category, and each person gets the garment of the next.

    Raises:
        ToileError: when a pair is the only one of its category, or two pairs of a category are the same.
    """
    records = [pairs[index] for index in range(len(pairs))]
    fittings: dict[int, Fitting] = {}
    for number, category in enumerate(CATEGORIES):
        rows = [index for index, record in enumerate(records) if record.category == category]
        order = np.random.default_rng([seed, number]).permutation(rows).tolist()
        for row, following in zip(order, [*order[1:], *order[:1]], strict=True):
            fittings[row] = Fitting(wearer=records[row], garment=records[following])
    same = next((fitting for fitting in fittings.values() if fitting.paired), None)
    if same is not None:
        raise ToileError(
            f"{same.source}: there is no other garment of the category {same.category!r} for "
            f"{same.wearer.identifier!r}; give at least two different pairs of each category"
        )
    return [fittings[index] for index in range(len(records))]


def evaluate_try_on(
    methods: Mapping[str, TryOn],
    pairs: Mapping[str, Sequence[GarmentPair]],
    *,
    size: tuple[int, int],
    features: DollFeatures | None = None,
    batch_size: int = 8,
) -> Report:
    """Dress every person in their own garment again with every method, and compare with the photo.

    Args:
        methods: by name; each gets fittings of one category at a time.
        pairs: by mode, for example {"studio": ..., "street": ...}; each needs an agnostic mask.
        size: height and width that photos and results are compared at.
        features: DISTS-dolls's network; None leaves that distance out.
        batch_size: fittings given to a method at a time.

    Raises:
        ToileError: when there are no pairs, a mask is empty or covers everything, or a method gives pictures
            of another number or size.
    """
    check_not_empty(methods, pairs)
    metrics = {name: up for name, up in METRICS.items() if features is not None or name != DISTANCE}
    values: dict[str, Values] = {mode: {name: {m: [] for m in metrics} for name in methods} for mode in pairs}
    identifiers: dict[str, list[str]] = {mode: [] for mode in pairs}
    for mode, of_mode in pairs.items():
        categories = [of_mode[index].category for index in range(len(of_mode))]
        batches = list(category_batches(categories, batch_size))
        for rows in tqdm(batches, desc=f"trying on, {mode}", disable=None):
            fittings = own_garments([of_mode[index] for index in rows])
            identifiers[mode] += [fitting.wearer.identifier for fitting in fittings]
            truth = photos_and_masks(fittings, size)
            for name, method in methods.items():
                drawn = stacked(method(fittings), len(fittings), size, name)
                for metric, found in measure(drawn, *truth, features).items():
                    values[mode][name][metric] += found.tolist()
    return Report(size=size, higher_is_better=metrics, identifiers=identifiers, values=values)


def photos_and_masks(
    fittings: Sequence[Fitting], size: tuple[int, int]
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 1 H W"]]:
    """The photos and their agnostic masks, in [0, 1], 1 where the garment may be.

    Raises:
        ToileError: when a mask is empty, or covers the whole photo.
    """
    items = [pair_tensors(fitting.wearer, size) for fitting in fittings]
    photos = torch.stack([item["person"] for item in items]).float() / 255  # (B 3 H W)
    masks = torch.stack([item["mask"] for item in items]).float() / 255  # (B 1 H W)
    shares = masks.mean(dim=(1, 2, 3)).tolist()
    for fitting, share in zip(fittings, shares, strict=True):
        if not 0 < share < 1:
            what = "is empty" if share == 0 else "covers the whole photo"
            raise ToileError(
                f"{fitting.source}: the mask of {fitting.wearer.identifier!r} {what}; "
                "try-on needs a mask that leaves some of the photo"
            )
    return photos, masks


@torch.no_grad()
def measure(
    results: Float[Tensor, "B 3 H W"],
    photos: Float[Tensor, "B 3 H W"],
    masks: Float[Tensor, "B 1 H W"],
    features: DollFeatures | None,
) -> dict[str, Float[Tensor, " B"]]:
    """Every paired metric of a batch; the pictures are RGB in [0, 1]."""
    values = {
        "SSIM": ssim(results, photos, data_range=1.0),
        "L1 inside": l1_within(results, photos, masks),
        "L1 outside": l1_within(results, photos, 1 - masks),
    }
    if features is not None:
        values[DISTANCE] = features.distance(results, photos)
    return values
