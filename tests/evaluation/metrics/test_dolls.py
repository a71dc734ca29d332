from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from toile.dolls import draw_doll
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.dolls import SIZE, DollVectors
from toile.evaluation.metrics.registry import make_extractor, make_metric
from toile.evaluation.metrics.spec import FeatureExtractor, SetMetric


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Backbones:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("dolls")
    DollFeatures(channels=(4, 6, 8)).save_pretrained(folder)
    return Backbones(dolls=folder)


def garments(first: int, count: int, size: tuple[int, int] = (64, 48)) -> list[Image.Image]:
    return [Image.fromarray(draw_doll(seed, size=size).garment) for seed in range(first, first + count)]


def test_vectors_are_the_means_of_the_last_stage(backbones: Backbones) -> None:
    extractor = make_extractor("dolls", backbones)
    assert isinstance(extractor, DollVectors) and isinstance(extractor, FeatureExtractor)
    picture = garments(0, 1, SIZE)[0]
    pixels = torch.from_numpy(np.array(picture)).movedim(-1, 0)[None].float() / 255
    expected = extractor.network.features(pixels)[-1].mean(dim=(2, 3)).numpy()
    assert extractor.dimension == 8
    assert np.allclose(extractor([picture]), expected, atol=1e-5)


def test_pictures_of_any_size_in_any_batch(backbones: Backbones) -> None:
    extractor = make_extractor("dolls", backbones)
    pictures = [*garments(0, 2), *garments(0, 1, (128, 96))]
    together = extractor(pictures)
    alone = np.concatenate([extractor([picture]) for picture in pictures])
    assert np.allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_a_set_is_at_distance_zero_from_itself_and_noise_takes_it_away(backbones: Backbones) -> None:
    extractor = make_extractor("dolls", backbones)
    pictures = garments(0, 12)
    random = np.random.default_rng(0)
    vectors = []
    for scale in (0, 20, 60):
        noisy = [np.asarray(p) + random.normal(0, scale, (64, 48, 3)) for p in pictures]
        vectors.append(extractor([Image.fromarray(p.clip(0, 255).astype(np.uint8)) for p in noisy]))
    for name in ("fd_dolls", "kd_dolls"):
        metric = make_metric(name, backbones)
        assert isinstance(metric, SetMetric) and metric.extractor == "dolls"
        assert metric.spec.name == name.replace("_", "-").replace("fd", "FD").replace("kd", "KD")
        distances = [metric(vectors[0], each) for each in vectors]
        assert distances == sorted(distances)
    assert make_metric("fd_dolls", backbones)(vectors[0], vectors[0]) == pytest.approx(0, abs=1e-9)


def test_weights_are_read_from_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no weights of DISTS-dolls"):
        make_extractor("dolls", Backbones(dolls=tmp_path))
