from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torchmetrics.functional.image.dists as reference
from tests.evaluation.metrics import classifiers
from tests.evaluation.pictures import blurred, textured

from toile.errors import ToileError
from toile.evaluation.metrics.dists import DISTS, dists_formula, load_dists


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


def test_float32_maps_lose_nothing_where_the_mean_is_large() -> None:
    x, y = (1000 + 0.1 * torch.rand(1, 4, 16, 16, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    weight = [torch.ones(4)]
    expected = dists_formula([x.double()], [y.double()], weight, weight)
    assert dists_formula([x], [y], weight, weight).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[DISTS, torch.nn.Module]:
    """Ours, and torchmetrics' class over the same VGG-16, each with torchmetrics' alpha and beta."""
    features = classifiers.vgg16()
    path = classifiers.published_file(features, tmp_path_factory.mktemp("vgg16") / "vgg16.safetensors")
    with pytest.MonkeyPatch.context() as patch:  # torchmetrics would ask torchvision for the features
        patch.setattr(reference, "_TORCHVISION_AVAILABLE", True)
        patch.setattr(reference, "VGG16_Weights", SimpleNamespace(DEFAULT=None), raising=False)
        patch.setattr(reference, "vgg16", lambda weights: SimpleNamespace(features=features), raising=False)
        return load_dists(path), reference.DISTSNetwork()


def test_agrees_with_torchmetrics_on_the_same_weights(both) -> None:
    ours, theirs = both
    true, other = textured(2), textured(2, seed=5)
    expected = theirs(other, true)
    assert (expected > 0.005).all()
    assert ours(other, true).tolist() == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-6)


def test_zero_for_equal_pictures_and_more_for_a_stronger_blur(both) -> None:
    ours, true = both[0], textured(2)
    assert ours(true, true).abs().max() < 1e-6
    grown = [float(ours(blurred(true, grain), true).mean()) for grain in (3, 7, 15)]
    assert grown == sorted(grown) and grown[0] > 0


def test_does_not_depend_on_the_batch(both) -> None:
    ours, true, other = both[0], textured(2), textured(2, seed=5)
    alone = torch.cat([ours(other[row : row + 1], true[row : row + 1]) for row in range(2)])
    assert ours(other, true).tolist() == pytest.approx(alone.tolist(), rel=1e-4)


def test_is_a_loss_that_moves_pictures_and_no_weights(both) -> None:
    ours, true = both[0], textured(1)
    picture = blurred(true, 7).requires_grad_()
    before = ours(picture, true)
    before.sum().backward()
    assert picture.grad is not None and torch.isfinite(picture.grad).all()
    assert not any(weight.requires_grad for weight in ours.parameters())
    step = 0.5 / 255 * picture.grad.sign()
    assert float(ours(picture.detach() - step, true)) < float(before.detach())


def test_the_gradient_of_equal_and_of_black_pictures_is_finite(both) -> None:
    ours = both[0]
    for picture in (torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 32, 32)):
        moving = picture.clone().requires_grad_()
        ours(moving, picture).sum().backward()
        assert moving.grad is not None and torch.isfinite(moving.grad).all()


def test_missing_and_wrong_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no weights of VGG-16: no file was given; get them from https"):
        load_dists(None)
    backbone = classifiers.published_file(classifiers.vgg16(), tmp_path / "vgg16.safetensors")
    with pytest.raises(ToileError, match="DISTS's alpha and beta: alpha is missing"):
        load_dists(backbone, backbone)
