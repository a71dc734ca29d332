from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.evaluation.metrics.small_clip import sample, save_clip

from toile.errors import ToileError
from toile.evaluation.metrics.aesthetic import AestheticScore, load_head
from toile.evaluation.metrics.clip import ClipEncoder
from toile.evaluation.metrics.spec import PerImageMetric

SHAPES = {0: (1024, 12), 2: (128, 1024), 4: (64, 128), 6: (16, 64), 7: (1, 16)}
"""The published head's layers, here for embeddings of 12 numbers instead of 768."""


def published() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for place, shape in SHAPES.items():
        weights[f"layers.{place}.weight"] = torch.randn(shape, generator=generator) / shape[1] ** 0.5
        weights[f"layers.{place}.bias"] = torch.randn(shape[0], generator=generator)
    return weights


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ClipEncoder:
    return ClipEncoder.from_pretrained(save_clip(tmp_path_factory.mktemp("clip")))


def test_the_score_is_the_published_chain_of_products(encoder: ClipEncoder, tmp_path: Path) -> None:
    weights, path = published(), tmp_path / "head.pth"
    torch.save(weights, path)
    metric = AestheticScore(encoder=encoder, head=load_head(path, 12))
    assert isinstance(metric, PerImageMetric)
    samples = [sample(0), sample(1)]
    rows = encoder.pictures([each.prediction for each in samples]).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for place in SHAPES:
        matrix, bias = (weights[f"layers.{place}.{part}"].double().numpy() for part in ("weight", "bias"))
        rows = rows @ matrix.T + bias
    assert np.allclose(metric(samples), rows[:, 0], rtol=1e-4, atol=1e-5)
    assert metric(samples[1:])[0] == pytest.approx(metric(samples)[1], rel=1e-4)


def test_the_linear_head_and_safetensors(encoder: ClipEncoder, tmp_path: Path) -> None:
    path = tmp_path / "linear.safetensors"
    save_file({"weight": torch.ones(1, 12), "bias": torch.tensor([5.0])}, path)
    unit = encoder.pictures([sample(0).prediction])[0]
    expected = 5 + unit.sum() / np.linalg.norm(unit)
    score = AestheticScore(encoder=encoder, head=load_head(path, 12))([sample(0)])[0]
    assert score == pytest.approx(expected, rel=1e-5)


def test_missing_and_foreign_heads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="improved-aesthetic-predictor"):
        load_head(None, 768)
    path = tmp_path / "head.pth"
    torch.save(published(), path)
    with pytest.raises(ToileError, match=r"layers\.0\.weight has the shape \(1024, 12\)"):
        load_head(path, 768)
