from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity
from tests.evaluation.pictures import blurred

from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics import PerImageMetric, Sample, per_image
from toile.evaluation.metrics.dists import DISTS
from toile.evaluation.metrics.lpips import LPIPS


def random_network(make: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    torch.manual_seed(0)
    network = make().eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return network


METRICS: dict[str, Callable[[], PerImageMetric]] = {
    "ssim": per_image.ssim_metric,
    "ms_ssim": per_image.ms_ssim_metric,
    "cw_ssim": per_image.cw_ssim_metric,
    "psnr": per_image.psnr_metric,
    "l1_within": per_image.l1_within_metric,
    "delta_e": per_image.delta_e_metric,
    "edges": per_image.edge_metric,
    "iou": per_image.iou_metric,
    "lpips_alex": lambda: per_image.lpips_metric(random_network(lambda: LPIPS("alex")), "alex"),
    "lpips_vgg": lambda: per_image.lpips_metric(random_network(lambda: LPIPS("vgg")), "vgg"),
    "lpips_squeeze": lambda: per_image.lpips_metric(random_network(lambda: LPIPS("squeeze")), "squeeze"),
    "dists": lambda: per_image.dists_metric(random_network(DISTS)),
    "dists_dolls": lambda: per_image.dists_dolls_metric(random_network(DollFeatures)),
}
NETWORKS = {name for name in METRICS if name.startswith(("lpips", "dists"))}


@pytest.fixture(scope="module", params=METRICS)
def named(request) -> tuple[str, PerImageMetric]:
    return request.param, METRICS[request.param]()


def picture(values: torch.Tensor) -> Image.Image:
    return Image.fromarray((values.clamp(0, 1) * 255).round().byte().movedim(0, -1).numpy())


def sample(name: str, seed: int = 0, damage: float = 0.1, *, turned: bool = False) -> Sample:
    """A garment on white and a prediction of it: noise all over, and its upper part left white."""
    height, width = (184, 176) if name == "ms_ssim" else (72, 64)
    height, width = (width, height) if turned else (height, width)
    random = torch.Generator().manual_seed(seed)
    inside = torch.zeros(height, width)
    inside[8:-8, 8:-8] = 1
    target = 0.9 * blurred(torch.rand(1, 3, height, width, generator=random), 3)[0]
    target = torch.where(inside > 0, target, torch.ones(()))
    made = target + damage * torch.randn(target.shape, generator=random) * inside
    made[:, : 8 + int(damage * height / 2)] = 1
    return Sample(
        identifier=f"item-{seed}",
        prediction=picture(made),
        target=picture(target),
        silhouette=Image.fromarray((inside * 255).byte().numpy()),
    )


def test_more_damage_is_worse(named) -> None:
    name, metric = named
    values = metric([sample(name, damage=damage) for damage in (0.02, 0.1, 0.4)])
    sign = 1 if metric.spec.higher_is_better else -1
    assert (np.diff(sign * values) < 0).all(), values


def test_equality_gives_the_best_value(named) -> None:
    name, metric = named
    (value,) = metric([sample(name, damage=0)])
    best = metric.spec.high if metric.spec.higher_is_better else metric.spec.low
    assert value == pytest.approx(best, abs=1e-6)


def test_values_stay_in_the_range(named) -> None:
    name, metric = named
    upside_down = sample(name, seed=3, damage=1)
    reversed_colours = Sample(
        identifier="reversed",
        prediction=Image.eval(upside_down.prediction, lambda value: 255 - value),
        target=upside_down.target,
        silhouette=upside_down.silhouette,
    )
    values = metric([upside_down, reversed_colours])
    assert (values >= metric.spec.low - 1e-6).all() and (values <= metric.spec.high + 1e-6).all()


def test_neither_batch_nor_order_nor_the_sizes_beside_matter(named) -> None:
    name, metric = named
    samples = [sample(name, seed, damage=0.05 * seed, turned=seed % 2 == 1) for seed in range(1, 5)]
    together = metric(samples)
    alone = np.concatenate([metric([one]) for one in samples])
    turned_round = metric(samples[::-1])[::-1]
    tolerance = {"rel": 1e-4} if name in NETWORKS else {"rel": 0, "abs": 1e-9}
    assert together.dtype == np.float64 and together.shape == (4,)
    assert alone == pytest.approx(together, **tolerance)
    assert turned_round == pytest.approx(together, **tolerance)


def test_no_samples_have_no_values(named) -> None:
    assert named[1]([]).shape == (0,)


def test_the_name_says_the_backbone(named) -> None:
    name, metric = named
    assert (metric.spec.backbone is None) == (name not in NETWORKS)
    assert isinstance(metric, PerImageMetric)


def test_what_is_missing_is_said(named) -> None:
    name, metric = named
    whole = sample(name)
    bare = Sample(identifier="bare", prediction=whole.prediction)
    need = sorted(metric.spec.needs)[0]
    with pytest.raises(ToileError, match=f"bare has no {need}; "):
        metric([whole, bare])


@pytest.mark.parametrize("name", ["l1_within", "delta_e", "edges", "iou"])
def test_an_empty_silhouette_is_said_with_its_name(name: str) -> None:
    whole = sample(name)
    empty = Sample(
        identifier="empty",
        prediction=whole.prediction,
        target=whole.target,
        silhouette=Image.new("L", whole.prediction.size),
    )
    with pytest.raises(ToileError, match="empty: the silhouette is empty"):
        METRICS[name]()([whole, empty])


def test_pictures_that_are_too_small_are_said_with_their_name() -> None:
    small = Image.new("RGB", (40, 40))
    with pytest.raises(ToileError, match="tiny: CW-SSIM needs pictures of at least 64 pixels"):
        METRICS["cw_ssim"]()([Sample(identifier="tiny", prediction=small, target=small)])


def test_samples_are_measured_in_0_to_1() -> None:
    one = sample("ssim")
    expected = structural_similarity(
        np.asarray(one.prediction),
        np.asarray(one.target),
        data_range=255,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert METRICS["ssim"]()([one])[0] == pytest.approx(expected, abs=1e-9)
