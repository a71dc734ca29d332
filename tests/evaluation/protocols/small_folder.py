"""A small dataset in VITON-HD's layout, a protocol for it, and predictions that are nearly right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tests.data.layouts import write_viton_hd

from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.protocols.built_in import IGR_PAIRED, metrics
from toile.evaluation.protocols.options import EvaluationOptions
from toile.evaluation.protocols.protocol import Protocol, Statistics

SIZE = (64, 48)
COUNT = 40
STEMS = tuple(f"{number:05d}_00" for number in range(COUNT))
PROTOCOL: Protocol = replace(
    IGR_PAIRED,
    name="small",
    pairs=replace(IGR_PAIRED.pairs, count=COUNT),
    pictures=replace(IGR_PAIRED.pictures, size=SIZE, prediction_size=SIZE),
    metrics=metrics("ssim", "psnr", "l1_within", "dists_dolls", "fd_dolls", "kd_dolls"),
    statistics=Statistics(resamples=50, set_resamples=5),
)
"""Two chunks of pictures, formulas, a network, and metrics of sets."""


def write_data(root: Path) -> Path:
    """The dataset: noise for photos, rectangles of one colour for garments."""
    return write_viton_hd(root, STEMS)


def write_predictions(data: Path, folder: Path, seed: int = 0) -> Path:
    """The true garments with noise on them, as PNG."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for stem in STEMS:
        with Image.open(data / "test" / "cloth" / f"{stem}.jpg") as truth:
            pixels = np.asarray(truth, dtype=np.int16)
        noisy = (pixels + generator.integers(-30, 30, pixels.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{stem}.png")
    return folder


def write_network(folder: Path) -> Path:
    """A small network with random weights in the place of the one that knows dolls."""
    torch.manual_seed(0)
    DollFeatures(channels=(4, 6, 8)).save_pretrained(folder)
    return folder


def options(network: Path, **changes: object) -> EvaluationOptions:
    """How the tests evaluate."""
    return replace(EvaluationOptions(backbones=Backbones(dolls=network)), **changes)  # type: ignore[arg-type]
