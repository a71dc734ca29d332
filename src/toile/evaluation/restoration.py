"""Restored garments against the truth: every method on every pair, studio and street apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from toile.data.record import CATEGORIES, GarmentPair
from toile.data.tensors import pair_tensors, to_tensor
from toile.errors import ToileError
from toile.evaluation.baselines import Method
from toile.evaluation.bootstrap import Interval, bootstrap_difference, bootstrap_mean
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics import edge_agreement, l1_within, silhouette_iou, ssim
from toile.files import whole_file

METRICS: dict[str, bool] = {
    "SSIM": True,
    "DISTS-dolls": False,
    "L1 within": False,
    "edges": True,
    "IoU": True,
}
"""What is measured of each picture, and whether higher is better."""

Values = dict[str, dict[str, list[float]]]


@dataclass(frozen=True, kw_only=True)
class RestorationReport:
    """Per-image values of every method, from which every mean and interval follows."""

    size: tuple[int, int]
    """Height and width of the pictures compared."""
    identifiers: Mapping[str, list[str]]
    """The pairs of each mode, in the order of the values."""
    values: Mapping[str, Values]
    """By mode, method and metric: one value a pair."""

    def interval(self, mode: str, method: str, metric: str) -> Interval:
        """A method's mean with its 95 % bootstrap interval."""
        return bootstrap_mean(np.array(self.values[mode][method][metric]))

    def difference(self, mode: str, first: str, second: str, metric: str) -> Interval:
        """The mean of first - second on the same pairs, with its 95 % bootstrap interval."""
        values = self.values[mode]
        return bootstrap_difference(np.array(values[first][metric]), np.array(values[second][metric]))

    def beats(self, mode: str, first: str, second: str, metric: str) -> bool:
        """Whether the first is better by more than the choice of pairs explains."""
        gain = self.difference(mode, first, second, metric)
        return gain.low > 0 if METRICS[metric] else gain.high < 0


def evaluate_restoration(
    methods: Mapping[str, Method],
    pairs: Mapping[str, Sequence[GarmentPair]],
    *,
    size: tuple[int, int],
    features: DollFeatures,
    batch_size: int = 8,
) -> RestorationReport:
    """Restore every pair with every method and measure the result.

    Args:
        methods: by name; each gets pairs of one category at a time.
        pairs: by mode, for example {"studio": ..., "street": ...}.
        size: height and width that truth and predictions are compared at.
        features: DISTS-dolls's network.
        batch_size: pairs given to a method at a time.

    Raises:
        ToileError: when there are no pairs, or a method gives pictures of another number or size.
    """
    empty = [mode for mode, of_mode in pairs.items() if not len(of_mode)]
    if empty or not pairs or not methods:
        raise ToileError(
            f"nothing to evaluate: {f'no pairs for {empty[0]}' if empty else 'no pairs or no methods'}"
        )
    values: dict[str, Values] = {mode: {name: {m: [] for m in METRICS} for name in methods} for mode in pairs}
    identifiers: dict[str, list[str]] = {mode: [] for mode in pairs}
    for mode, of_mode in pairs.items():
        for batch in tqdm(list(_batches(of_mode, batch_size)), desc=f"evaluating {mode}", disable=None):
            identifiers[mode] += [pair.identifier for pair in batch]
            truth = [pair_tensors(pair, size) for pair in batch]
            for name, method in methods.items():
                for metric, found in measure(method(batch), truth, features, name).items():
                    values[mode][name][metric] += found.tolist()
    return RestorationReport(size=size, identifiers=identifiers, values=values)


def _batches(pairs: Sequence[GarmentPair], batch_size: int) -> Iterator[list[GarmentPair]]:
    """Pairs of one category at a time; a pair is drawn or read again only by its own batch."""
    categories = [pairs[index].category for index in range(len(pairs))]
    for category in CATEGORIES:
        rows = [index for index, found in enumerate(categories) if found == category]
        for start in range(0, len(rows), batch_size):
            yield [pairs[index] for index in rows[start : start + batch_size]]


def measure(
    predictions: Sequence[Image.Image],
    truth: Sequence[Mapping[str, Tensor]],
    features: DollFeatures,
    name: str,
) -> dict[str, Float[Tensor, " B"]]:
    """Every metric of a batch of predicted pictures.

    Args:
        predictions: RGB, of the truth's size.
        truth: what `pair_tensors` gives for each pair.
        features: DISTS-dolls's network.
        name: the method's, for messages.

    Raises:
        ToileError: when predictions are missing or of another size.
    """
    target = torch.stack([item["garment"] for item in truth]).float() / 255  # (B, 3, H, W)
    inside = torch.stack([item["silhouette"] for item in truth]).float() / 255  # (B, 1, H, W)
    height, width = target.shape[2:]
    wrong = next((p.size for p in predictions if p.size != (width, height)), None)
    if len(predictions) != len(truth) or wrong is not None:
        problem = f"a picture of {wrong}" if wrong else f"{len(predictions)} pictures for {len(truth)} pairs"
        raise ToileError(f"{name} gave {problem}; each pair needs one picture of {(width, height)}")
    drawn = torch.stack([to_tensor(p.convert("RGB")) for p in predictions]).float() / 255  # (B, 3, H, W)
    return {
        "SSIM": ssim(drawn, target, data_range=1.0),
        "DISTS-dolls": features.distance(drawn, target),
        "L1 within": l1_within(drawn, target, inside),
        "edges": edge_agreement(drawn, target, inside),
        "IoU": silhouette_iou(drawn, inside),
    }


def remembered(method: Method, folder: Path) -> Method:
    """The same method, with its pictures kept as PNG in `folder` and not made again.

    A picture is written beside its place and renamed, so that a run that was stopped goes on where it was.
    Name the folder after what made the pictures (a hash of weights and settings): nothing here can tell.
    """

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        paths = [folder / _file_name(pair) for pair in pairs]
        missing = [index for index, path in enumerate(paths) if not path.is_file()]
        if missing:
            for index, picture in zip(missing, method([pairs[index] for index in missing]), strict=True):
                with whole_file(paths[index]) as beside:
                    picture.save(beside, format="PNG")
        return [_read(path) for path in paths]

    return restore


def _file_name(pair: GarmentPair) -> str:
    return (
        "".join(letter if letter.isalnum() else "_" for letter in f"{pair.source}-{pair.identifier}") + ".png"
    )


def _read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
