from pathlib import Path

import pytest
import torch
from tests.evaluation.pictures import blurred, filled, textured

from toile.errors import ToileError
from toile.evaluation.doll_features import (
    BUNDLED,
    DollFeatures,
    StandardConvolution,
    load_doll_features,
    pool_regions,
)
from toile.evaluation.metrics.dists import dists_formula

VOCABULARY = {"category": ["upper", "lower"], "pattern": ["plain", "dots", "other"]}


def small() -> DollFeatures:
    torch.manual_seed(0)
    return DollFeatures(channels=(4, 6, 8), vocabulary=VOCABULARY).eval()


def test_shapes() -> None:
    model = small()
    pictures = textured(2)
    assert [tuple(maps.shape) for maps in model.features(pictures)] == [
        (2, 3, 64, 48),
        (2, 4, 64, 48),
        (2, 6, 32, 24),
        (2, 8, 16, 12),
    ]
    answers = model(pictures, torch.ones(2, 3, 64, 48))
    assert answers.parts.shape == (2, 8, 16, 12)
    assert {name: tuple(logits.shape) for name, logits in answers.attributes.items()} == {
        "category": (3, 2, 3, 2),
        "pattern": (3, 2, 3, 3),
    }


def test_regions_are_pooled_alone() -> None:
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    regions = torch.zeros(1, 3, 12, 16)
    regions[:, 0, 4:8, 4:12] = 1
    regions[:, 1] = 1
    pooled = pool_regions(maps, regions)
    assert torch.allclose(pooled[0, 0], torch.tensor([5.5, 17.5, 6, 18]))
    assert torch.allclose(pooled[0, 1], torch.tensor([5.5, 17.5, 11, 23]))
    assert (pooled[0, 2] == 0).all()


def test_what_lies_outside_a_region_does_not_change_its_names() -> None:
    maps, regions = torch.rand(1, 4, 8, 6), torch.zeros(1, 1, 16, 12)
    regions[:, :, :8] = 1
    changed = maps.clone()
    changed[:, :, 4:] = 9
    assert torch.equal(pool_regions(maps, regions), pool_regions(changed, regions))


def test_standardised_weights_keep_a_signals_size() -> None:
    torch.manual_seed(0)
    layer = StandardConvolution(64, 64)
    layer.weight.data.mul_(37).add_(5)
    found = layer(torch.randn(1, 64, 40, 40).relu())[:, :, 2:-2, 2:-2]
    assert 0.8 < float(found.detach().std()) < 1.2


def test_the_default_network_is_small() -> None:
    assert sum(weight.numel() for weight in DollFeatures().parameters()) < 700_000


def test_distance_is_zero_for_equal_pictures_and_grows() -> None:
    model, true = small(), textured(3)
    assert model.distance(true, true).abs().max() < 1e-6
    grown = [model.distance(blurred(true, grain), true).mean() for grain in (3, 7, 15)]
    assert grown == sorted(grown)
    assert (model.distance(filled(true), true) > 0.01).all()


def test_distance_does_not_depend_on_the_batch() -> None:
    model, true, other = small(), textured(3), textured(3, seed=5)
    together = model.distance(other, true)
    alone = torch.cat([model.distance(other[i : i + 1], true[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_distance_is_a_loss_that_moves_pictures_and_no_weights() -> None:
    model, true = small().requires_grad_(False), textured(2)
    picture = blurred(true, 7).requires_grad_()
    before = model.distance(picture, true)
    before.sum().backward()
    assert picture.grad is not None and picture.grad.isfinite().all()
    assert all(weight.grad is None for weight in model.parameters())
    moved = picture.detach() - 0.5 / 255 * picture.grad.sign()
    assert (model.distance(moved, true) < before.detach()).all()


def test_untrained_the_picture_and_every_stage_weigh_the_same() -> None:
    model, true, other = small(), textured(2), textured(2, seed=5)
    mine, theirs = model.features(other), model.features(true)
    stages = [
        dists_formula([x], [y], [torch.ones(x.shape[1])], [torch.ones(x.shape[1])])
        for x, y in zip(mine, theirs, strict=True)
    ]
    assert torch.allclose(model.distance(other, true), torch.stack(stages).mean(0), atol=1e-5)


def test_no_channel_is_ever_silenced() -> None:
    model = small()
    for logs in [*model.texture, *model.structure]:
        logs.data.normal_(std=100)
    alpha, beta = model.weights()
    assert all(each.max() / each.min() < 21 for each in [*alpha, *beta])


def test_save_and_load(tmp_path: Path) -> None:
    model = small().half()
    model.save_pretrained(tmp_path)
    loaded = load_doll_features(tmp_path)
    assert next(loaded.parameters()).dtype == torch.float32
    assert not any(weight.requires_grad for weight in loaded.parameters())
    regions = torch.ones(2, 1, 64, 48)
    expected = model.float()(textured(2), regions).attributes["pattern"]
    assert torch.allclose(loaded(textured(2), regions).attributes["pattern"], expected, atol=1e-5)
    assert torch.equal(
        loaded.distance(textured(2), textured(2, 5)), model.distance(textured(2), textured(2, 5))
    )


def test_missing_and_damaged_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no weights of DISTS-dolls"):
        load_doll_features(tmp_path)
    small().save_pretrained(tmp_path)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"damaged")
    with pytest.raises(ToileError, match="cannot be read"):
        load_doll_features(tmp_path)


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="the bundled weights are not trained yet")
def test_the_bundled_network_prefers_the_true_texture() -> None:
    model, true = load_doll_features(), textured(4, grain=7)
    assert (model.distance(filled(true), true) > model.distance(blurred(true, 3), true)).all()
