"""Small results of invented systems on real dolls, with their pictures."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from toile.evaluation.protocols.built_in import IGR_PAIRED, metrics
from toile.evaluation.protocols.protocol import Protocol, Statistics
from toile.evaluation.protocols.result import EvaluatedItem, EvaluationResult, MetricDescription, Summary
from toile.evaluation.protocols.truths import DollTruth, Truth
from toile.evaluation.reports.breakdown import summarise

SIZE = (64, 48)
COUNT = 12
PROTOCOL: Protocol = replace(
    IGR_PAIRED,
    name="example",
    title="Garments of dolls & what became of them",
    metrics=metrics("ssim", "l1_within", "fd_dolls"),
    statistics=Statistics(resamples=200),
)
DESCRIPTIONS = {
    "ssim": ("similarity", True, 0.0, 1.0, False),
    "l1_within": ("L1 × 255", False, 0.0, float("inf"), False),
    "fd_dolls": ("FD-dolls", False, 0.0, float("inf"), True),
}


def truths(count: int = COUNT) -> dict[str, Truth]:
    """Dolls in studio and street by turns."""
    dolls = [
        DollTruth(
            seed=seed,
            mode="street" if seed % 2 else "studio",
            size=SIZE,
            task="restore",
            region="silhouette",
        )
        for seed in range(count)
    ]
    return {doll.identifier: doll for doll in sorted(dolls, key=lambda doll: doll.identifier)}


def example(folder: Path, blur: float, *, count: int = COUNT, **changes: Any) -> EvaluationResult:
    """Blur the true garments, write them as PNGs into a folder, and measure them by simple formulas."""
    folder.mkdir(parents=True, exist_ok=True)
    items, errors = [], []
    for identifier, truth in truths(count).items():
        shown = truth.show()
        assert shown.target is not None
        picture = shown.target.filter(ImageFilter.GaussianBlur(blur))
        path = folder / f"{identifier}.png"
        picture.save(path)
        errors.append(difference(picture, shown.target))
        items.append(
            EvaluatedItem(
                identifier=identifier,
                category=shown.category,
                labels=shown.labels,
                prediction=path.name,
                target=shown.target_name,
                inputs=shown.input_names,
                prediction_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                target_sha256=hashlib.sha256(shown.target.tobytes()).hexdigest(),
            )
        )
    values = {"ssim": tuple(1 - error / 255 for error in errors), "l1_within": tuple(errors)}
    result = EvaluationResult(
        toile="0.1.0",
        system=folder.name,
        protocol=json.loads(json.dumps(asdict(PROTOCOL))),
        protocol_hash=PROTOCOL.hash,
        conforming=True,
        task="restore",
        predictions=folder.name,
        count=count,
        versions={"numpy": np.__version__},
        weights={"dolls": {"source": "bundled", "sha256": "ab" * 32}},
        metrics={name: described(name) for name in DESCRIPTIONS},
        items=tuple(items),
        values=values,
        sets={"fd_dolls": Summary(value=10 * blur, low=9 * blur, high=11 * blur)},
        summary={name: summarise(column) for name, column in values.items()},
    )
    return replace(result, **changes)


def described(name: str) -> MetricDescription:
    printed, higher, low, high, of_sets = DESCRIPTIONS[name]
    return MetricDescription(
        name=printed,
        higher_is_better=higher,
        low=low,
        high=high,
        definition=f"The example's {printed}, <exactly>.",
        backbone=None,
        scale=1.0,
        of_sets=of_sets,
    )


def difference(first: Image.Image, second: Image.Image) -> float:
    """The mean absolute difference of two pictures, of 255."""
    return float(np.abs(np.asarray(first, np.float64) - np.asarray(second, np.float64)).mean())
