from pathlib import Path

import pytest
import torch
import torchmetrics.functional.image.lpips as reference
from safetensors.torch import save_file
from tests.evaluation.metrics import classifiers
from tests.evaluation.pictures import blurred, textured

from toile.errors import ToileError
from toile.evaluation.metrics.lpips import LPIPS, load_lpips, lpips_formula

BACKBONES = {
    "alex": ("alexnet", classifiers.alexnet),
    "vgg": ("vgg16", classifiers.vgg16),
    "squeeze": ("squeezenet1_1", classifiers.squeezenet1_1),
}
TRUE, OTHER = textured(2), textured(2, seed=5)


@pytest.fixture(scope="module", params=BACKBONES)
def both(request, tmp_path_factory) -> tuple[LPIPS, reference._LPIPS]:
    """Ours, and torchmetrics' class over the same features, each with torchmetrics' heads."""
    name, make = BACKBONES[request.param]
    features = make()
    path = classifiers.published_file(features, tmp_path_factory.mktemp(name) / f"{name}.safetensors")
    with pytest.MonkeyPatch.context() as patch:  # torchmetrics would ask torchvision for the features
        patch.setattr(reference, "_get_tv_model_features", lambda net, pretrained: features)
        return load_lpips(request.param, path), reference._LPIPS(net=request.param)


def test_agrees_with_torchmetrics_on_the_same_weights(both) -> None:
    ours, theirs = both
    expected = theirs(OTHER, TRUE, normalize=True).flatten()
    found = ours(OTHER, TRUE)
    assert (expected > 0.01).all()
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-4)


def test_zero_for_equal_pictures_and_more_for_a_stronger_blur(both) -> None:
    ours, _ = both
    assert ours(TRUE, TRUE).abs().max() == 0
    grown = [float(ours(blurred(TRUE, grain), TRUE).mean()) for grain in (3, 7, 15)]
    assert grown == sorted(grown) and grown[0] > 0


def test_does_not_depend_on_the_batch(both) -> None:
    ours, _ = both
    alone = torch.cat([ours(OTHER[row : row + 1], TRUE[row : row + 1]) for row in range(2)])
    assert ours(OTHER, TRUE).tolist() == pytest.approx(alone.tolist(), rel=1e-4)


def test_is_frozen(both) -> None:
    ours, _ = both
    assert not ours.training and not any(weight.requires_grad for weight in ours.parameters())


def test_the_formula_written_out() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 1, 2, 2, 2, dtype=torch.float64, generator=generator)
    head = torch.tensor([0.3, 0.7], dtype=torch.float64)
    expected = 0.0
    for row in range(2):
        for column in range(2):
            p, q = x[0, :, row, column], y[0, :, row, column]
            p, q = p / (p @ p) ** 0.5, q / (q @ q) ** 0.5
            expected += float(head @ (p - q) ** 2) / 4
    assert lpips_formula([x, x], [y, y], [head, head]).tolist() == pytest.approx([2 * expected])


def test_dead_places_count_as_zero() -> None:
    x, y = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    y[0, 0] = 1
    assert lpips_formula([x], [y], [torch.ones(3)]).tolist() == [1]


def test_heads_of_a_file_of_the_users(tmp_path: Path) -> None:
    backbone = classifiers.published_file(classifiers.alexnet(), tmp_path / "alexnet.pth")
    heads = {
        f"lin{number}.model.1.weight": torch.full((1, width, 1, 1), 2.0)
        for number, width in enumerate((64, 192, 384, 256, 256))
    }
    save_file(heads, tmp_path / "heads.safetensors")
    model = load_lpips("alex", backbone, tmp_path / "heads.safetensors")
    mine, true = (model.stack((2 * p - 1 - model.shift) / model.scale) for p in (OTHER, TRUE))
    expected = lpips_formula(mine, true, [torch.full((maps.shape[1],), 2.0) for maps in mine])
    assert torch.allclose(model(OTHER, TRUE), expected)


def test_missing_and_wrong_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match=r"no weights of AlexNet: no file was given; get them from https"):
        load_lpips("alex", None)
    with pytest.raises(ToileError, match=r"no weights of SqueezeNet 1.1: there is no file .*none\.pth"):
        load_lpips("squeeze", tmp_path / "none.pth")
    backbone = classifiers.published_file(classifiers.alexnet(), tmp_path / "alexnet.pth")
    with pytest.raises(
        ToileError, match=r"does not hold the weights of VGG-16: features.0.weight has the sh"
    ):
        load_lpips("vgg", backbone)
    with pytest.raises(ToileError, match=r"LPIPS's heads, version 0.1: lin0.model.1.weight is missing"):
        load_lpips("alex", backbone, backbone)


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(ToileError, match="AlexNet needs pictures of at least 31 pixels a side, not 30×40"):
        LPIPS("alex")(torch.rand(1, 3, 40, 30), torch.rand(1, 3, 40, 30))
