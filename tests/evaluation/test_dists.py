import numpy as np
import pytest
import torch

from toile.evaluation.dists import HanningPool, dists_formula


def maps(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(3, channels, side, side, generator=generator) for channels, side in ((3, 12), (5, 6))]


def weights(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(channels, generator=generator) for channels in (3, 5)]


def direct(x: list[torch.Tensor], y: list[torch.Tensor], alpha, beta, row: int) -> float:
    """DISTS, Eq. 6 to 8, one number at a time in double precision."""
    total = sum(float(a.double().sum() + b.double().sum()) for a, b in zip(alpha, beta, strict=True))
    similarity = 0.0
    for stage in range(len(x)):
        for channel in range(x[stage].shape[1]):
            p = x[stage][row, channel].double().numpy().ravel()
            q = y[stage][row, channel].double().numpy().ravel()
            covariance = np.mean((p - p.mean()) * (q - q.mean()))
            texture = (2 * p.mean() * q.mean() + 1e-6) / (p.mean() ** 2 + q.mean() ** 2 + 1e-6)
            structure = (2 * covariance + 1e-6) / (p.var() + q.var() + 1e-6)
            similarity += float(alpha[stage][channel]) * texture + float(beta[stage][channel]) * structure
    return 1 - similarity / total


def test_agrees_with_the_formula_written_out() -> None:
    x, y, alpha, beta = maps(0), maps(1), weights(2), weights(3)
    expected = [direct(x, y, alpha, beta, row) for row in range(3)]
    assert dists_formula(x, y, alpha, beta).tolist() == pytest.approx(expected, abs=1e-6)


def test_equal_maps_are_at_distance_zero_and_the_order_does_not_matter() -> None:
    x, y, alpha, beta = maps(0), maps(1), weights(2), weights(3)
    assert dists_formula(x, x, alpha, beta).abs().max() < 1e-6
    assert torch.allclose(dists_formula(x, y, alpha, beta), dists_formula(y, x, alpha, beta), atol=1e-7)
    assert (dists_formula(x, y, alpha, beta) > 0.01).all()


def test_only_the_proportions_of_the_weights_matter() -> None:
    x, y, alpha, beta = maps(0), maps(1), weights(2), weights(3)
    scaled = dists_formula(x, y, [7 * a for a in alpha], [7 * b for b in beta])
    assert torch.allclose(dists_formula(x, y, alpha, beta), scaled, atol=1e-6)


def test_pictures_are_independent() -> None:
    x, y, alpha, beta = maps(0), maps(1), weights(2), weights(3)
    alone = dists_formula([m[1:2] for m in x], [m[1:2] for m in y], alpha, beta)
    assert torch.allclose(dists_formula(x, y, alpha, beta)[1:2], alone, atol=1e-7)


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
