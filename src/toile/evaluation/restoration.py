"""Restored garments against the truth: every method on every pair, studio and street apart."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from toile.data.record import GarmentPair
from toile.data.tensors import pair_tensors
from toile.evaluation.baselines import Method
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics import edge_agreement, l1_within, silhouette_iou, ssim
from toile.evaluation.report import (
    Item,
    Named,
    Report,
    Values,
    category_batches,
    check_not_empty,
    stacked,
)
from toile.files import whole_file

METRICS: dict[str, bool] = {
    "SSIM": True,
    "DISTS-dolls": False,
    "L1 within": False,
    "edges": True,
    "IoU": True,
}
"""What is measured of each picture, and whether higher is better."""


def evaluate_restoration(
    methods: Mapping[str, Method],
    pairs: Mapping[str, Sequence[GarmentPair]],
    *,
    size: tuple[int, int],
    features: DollFeatures,
    batch_size: int = 8,
) -> Report:
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
    check_not_empty(methods, pairs)
    values: dict[str, Values] = {mode: {name: {m: [] for m in METRICS} for name in methods} for mode in pairs}
    identifiers: dict[str, list[str]] = {mode: [] for mode in pairs}
    for mode, of_mode in pairs.items():
        categories = [of_mode[index].category for index in range(len(of_mode))]
        batches = list(category_batches(categories, batch_size))
        for rows in tqdm(batches, desc=f"evaluating {mode}", disable=None):
            batch = [of_mode[index] for index in rows]  # drawn or read again only by its own batch
            identifiers[mode] += [pair.identifier for pair in batch]
            truth = [pair_tensors(pair, size) for pair in batch]
            for name, method in methods.items():
                for metric, found in measure(method(batch), truth, features, name).items():
                    values[mode][name][metric] += found.tolist()
    return Report(size=size, higher_is_better=METRICS, identifiers=identifiers, values=values)


@torch.no_grad()
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
    drawn = stacked(predictions, len(truth), (height, width), name)
    return {
        "SSIM": ssim(drawn, target, data_range=1.0),
        "DISTS-dolls": features.distance(drawn, target),
        "L1 within": l1_within(drawn, target, inside),
        "edges": edge_agreement(drawn, target, inside),
        "IoU": silhouette_iou(drawn, inside),
    }


def remembered(
    method: Callable[[Sequence[Item]], list[Image.Image]], folder: Path
) -> Callable[[Sequence[Item]], list[Image.Image]]:
    """The same method, with its pictures kept as PNG in `folder` and not made again.

    A picture is written beside its place and renamed, so that a run that was stopped goes on where it was.
    Name the folder after what made the pictures (a hash of weights and settings): nothing here can tell.
    """

    def restore(pairs: Sequence[Item]) -> list[Image.Image]:
        paths = [folder / _file_name(pair) for pair in pairs]
        missing = [index for index, path in enumerate(paths) if not path.is_file()]
        if missing:
            for index, picture in zip(missing, method([pairs[index] for index in missing]), strict=True):
                with whole_file(paths[index]) as beside:
                    picture.save(beside, format="PNG")
        return [_read(path) for path in paths]

    return restore


def _file_name(pair: Named) -> str:
    return (
        "".join(letter if letter.isalnum() else "_" for letter in f"{pair.source}-{pair.identifier}") + ".png"
    )


def _read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
