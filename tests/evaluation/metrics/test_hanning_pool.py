import numpy as np
import pytest
import torch

from toile.evaluation.metrics.hanning_pool import HanningPool


def test_pooling_halves_and_keeps_constants_inside() -> None:
    pooled = HanningPool()(torch.full((1, 2, 16, 12), 3.0))
    assert pooled.shape == (1, 2, 8, 6)
    assert torch.allclose(pooled[:, :, 1:-1, 1:-1], torch.tensor(3.0), atol=1e-5)


def test_pooling_is_the_root_of_a_blurred_square() -> None:
    picture = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    window = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]) / 4
    patch = picture[0, 0, 3:6, 1:4].double().numpy()
    expected = np.sqrt((window * patch**2).sum() + 1e-12)
    assert float(HanningPool()(picture)[0, 0, 2, 1]) == pytest.approx(expected, rel=1e-5)
