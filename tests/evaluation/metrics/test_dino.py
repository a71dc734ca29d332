from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.evaluation.metrics.small_clip import picture, sample, save_clip, save_dino
from transformers import ViTModel

from toile.errors import ToileError
from toile.evaluation.metrics.dino import DinoEncoder, DinoSimilarity
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import PerImageMetric


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_dino(tmp_path_factory.mktemp("dino"))


def test_the_class_token_of_the_middle_of_the_picture(folder: Path) -> None:
    shown = picture(0, (256, 300))
    middle = np.asarray(shown, dtype=np.float64)[38:262, 16:240] / 255
    scaled = (middle - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    views = torch.from_numpy(scaled.transpose(2, 0, 1)[None]).float()
    with torch.no_grad():
        expected = ViTModel.from_pretrained(folder, add_pooling_layer=False).eval()(views).last_hidden_state
    found = DinoEncoder.from_pretrained(folder)([shown])
    assert np.allclose(found[0], expected[0, 0].numpy(), rtol=1e-4, atol=1e-5)


def test_similarity(folder: Path) -> None:
    metric = DinoSimilarity(encoder=DinoEncoder.from_pretrained(folder))
    assert isinstance(metric, PerImageMetric)
    equal = Sample(identifier="a", prediction=picture(0), target=picture(0))
    other = sample(1)
    found = metric([equal, other])
    assert found[0] == pytest.approx(1, abs=1e-6) and found[1] < 0.9999
    assert metric([other])[0] == pytest.approx(found[1], abs=1e-5)


def test_refusals(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="b has no target"):
        DinoSimilarity(encoder=DinoEncoder.from_pretrained(folder))(
            [Sample(identifier="b", prediction=Image.new("RGB", (8, 8)))]
        )
    with pytest.raises(ToileError, match="no DINO model could be loaded"):
        DinoEncoder.from_pretrained(tmp_path / "none")
    with pytest.raises(ToileError, match="is a clip, no DINO model"):
        DinoEncoder.from_pretrained(save_clip(tmp_path))
