from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, max_pool2d

from toile.errors import ToileError
from toile.evaluation.metrics.inception import BlockA, BlockE, FidInception, InceptionFeatures, load_inception
from toile.evaluation.metrics.resizing import clean_resize, legacy_resize
from toile.evaluation.metrics.spec import FeatureExtractor

PARAMETERS = 21_785_568
"""torchvision documents 27,161,264; without the auxiliary and the last classifier, these are left."""


@pytest.fixture(scope="module")
def network() -> FidInception:
    torch.manual_seed(0)
    model = FidInception()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(std=0.1)
            layer.running_var.uniform_(0.5, 1.5)
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    return model


@pytest.fixture(scope="module")
def weights(network: FidInception, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As published: without counters, with a classifier."""
    kept = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(kept | {"fc.weight": torch.zeros(8, 2048), "fc.bias": torch.zeros(8)}, path)
    return path


def pictures(count: int, size: tuple[int, int] = (40, 60)) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [
        Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)) for _ in range(count)
    ]


def unit(w: dict[str, Tensor], name: str, x: Tensor, padding: tuple[int, int] = (0, 0)) -> Tensor:
    """Convolution, batch norm with ε = 0.001, ReLU, from the weights' names alone."""
    x = conv2d(x, w[f"{name}.conv.weight"], padding=padding)
    mean, var = w[f"{name}.bn.running_mean"], w[f"{name}.bn.running_var"]
    return batch_norm(x, mean, var, w[f"{name}.bn.weight"], w[f"{name}.bn.bias"], eps=1e-3).relu()


def test_parameters_and_published_names(network: FidInception) -> None:
    assert sum(weight.numel() for weight in network.parameters()) == PARAMETERS
    names = set(network.state_dict())
    assert {"Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch5x5_2.bn.running_var"} <= names
    assert {"Mixed_6a.branch3x3dbl_3.conv.weight", "Mixed_6e.branch7x7dbl_5.bn.bias"} <= names
    assert {"Mixed_7a.branch7x7x3_4.conv.weight", "Mixed_7c.branch3x3dbl_3b.conv.weight"} <= names


def test_first_block_leaves_the_padding_out_of_its_means() -> None:
    torch.manual_seed(1)
    block = BlockA(8, pooled=4).eval()
    x, w = torch.rand(2, 8, 7, 7), block.state_dict()
    five = unit(w, "branch5x5_2", unit(w, "branch5x5_1", x), (2, 2))
    double = unit(w, "branch3x3dbl_2", unit(w, "branch3x3dbl_1", x), (1, 1))
    double = unit(w, "branch3x3dbl_3", double, (1, 1))
    count = avg_pool2d(torch.ones(1, 1, 7, 7), 3, stride=1, padding=1)
    pool = unit(w, "branch_pool", avg_pool2d(x, 3, stride=1, padding=1) / count)
    expected = torch.cat([unit(w, "branch1x1", x), five, double, pool], 1)
    assert torch.allclose(block(x), expected, atol=1e-5)


@pytest.mark.parametrize("maximum", [False, True])
def test_last_blocks_differ_in_their_pool(maximum: bool) -> None:
    torch.manual_seed(1)
    block = BlockE(6, maximum=maximum).eval()
    x, w = torch.rand(1, 6, 5, 5), block.state_dict()
    count = avg_pool2d(torch.ones(1, 1, 5, 5), 3, stride=1, padding=1)
    mean = avg_pool2d(x, 3, stride=1, padding=1) / count
    expected = unit(w, "branch_pool", max_pool2d(x, 3, stride=1, padding=1) if maximum else mean)
    single = unit(w, "branch3x3_1", x)
    sides = [unit(w, "branch3x3_2a", single, (0, 1)), unit(w, "branch3x3_2b", single, (1, 0))]
    found = block(x)
    assert found.shape == (1, 2048, 5, 5)
    assert torch.allclose(found[:, -192:], expected, atol=1e-5)
    assert torch.allclose(found[:, 320:1088], torch.cat(sides, 1), atol=1e-5)


def test_the_published_form_loads_and_gives_the_networks_vectors(
    network: FidInception, weights: Path
) -> None:
    extractor = InceptionFeatures(network=load_inception(weights))
    assert isinstance(extractor, FeatureExtractor)
    both = pictures(2)
    found = extractor(both)
    assert found.shape == (2, extractor.dimension) and found.dtype == np.float32
    pixels = torch.from_numpy(np.stack([clean_resize(picture) for picture in both]))
    expected = network((pixels - 128) / 128).numpy()
    assert np.allclose(found, expected, rtol=1e-4, atol=1e-5)
    alone = extractor(both[1:])
    assert np.abs(alone[0] - found[1]).max() < 1e-4 * np.abs(found[1]).max()


def test_legacy_vectors_are_others(network: FidInception) -> None:
    extractor = InceptionFeatures(network=network, legacy=True)
    assert extractor.name == "inception_legacy"
    picture = pictures(1, (320, 420))
    expected = network(2 * torch.from_numpy(legacy_resize(picture[0]))[None] / 255 - 1).numpy()
    assert np.allclose(extractor(picture), expected, rtol=1e-4, atol=1e-5)


def test_missing_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match=r"pt_inception-2015-12-05-6726825d\.pth"):
        load_inception(None)
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(2)}, path)
    with pytest.raises(ToileError, match=r"Conv2d_1a_3x3\.conv\.weight is missing"):
        load_inception(path)
