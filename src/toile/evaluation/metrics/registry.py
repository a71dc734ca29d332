"""Every metric by its short name, and how to make it from the weights at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from toile.errors import ToileError
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.metrics import per_image
from toile.evaluation.metrics.aesthetic import AestheticScore, load_head
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.clip import ClipEncoder, ClipFeatures, ClipImage, ClipRegions, ClipText
from toile.evaluation.metrics.dino import DinoEncoder, DinoSimilarity
from toile.evaluation.metrics.dists import load_dists
from toile.evaluation.metrics.dolls import DollVectors
from toile.evaluation.metrics.frechet import FrechetMetric
from toile.evaluation.metrics.inception import InceptionFeatures, load_inception
from toile.evaluation.metrics.kid import KernelMetric
from toile.evaluation.metrics.lpips import Network, load_lpips
from toile.evaluation.metrics.round_trip import RoundTripDistance
from toile.evaluation.metrics.spec import FeatureExtractor, MetricSpec, PerImageMetric, SetMetric
from toile.twgtm.pipeline import TWGTMPipeline

Metric = PerImageMetric | SetMetric


@dataclass(frozen=True, kw_only=True)
class MetricEntry:
    """One metric that can be asked for."""

    kind: Literal["image", "set"]
    """Whether every picture has a value, or only the set."""
    backbones: tuple[str, ...]
    """Fields of `Backbones` whose weights it reads; empty for a formula."""
    make: Callable[[Backbones, str], Metric]
    """Makes it on a device."""


def make_metric(name: str, backbones: Backbones, device: str = "cpu") -> Metric:
    """The metric of that short name, ready to measure.

    Raises:
        ToileError: when there is none, or the weights of its network are missing.
    """
    if name not in METRICS:
        raise ToileError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name].make(backbones, device)


def make_extractor(name: str, backbones: Backbones, device: str = "cpu") -> FeatureExtractor:
    """The extractor that a set metric names, ready to look at pictures.

    Raises:
        ToileError: when there is none, or the weights of its network are missing.
    """
    if name not in EXTRACTORS:
        raise ToileError(f"there is no feature extractor {name!r}; there are {', '.join(EXTRACTORS)}")
    return EXTRACTORS[name](backbones, device)


def _lpips(network: Network) -> MetricEntry:
    backbone = per_image.BACKBONES[network]

    def make(backbones: Backbones, device: str) -> Metric:
        heads = None if backbones.lpips is None else backbones.lpips / f"{network}.pth"
        source: Path | None = getattr(backbones, backbone)
        return per_image.lpips_metric(load_lpips(network, source, heads), network, device)

    return MetricEntry(kind="image", backbones=(backbone, "lpips"), make=make)


def _formula(make: Callable[[], Metric]) -> MetricEntry:
    return MetricEntry(kind="image", backbones=(), make=lambda _backbones, _device: make())


@lru_cache(maxsize=4)
def _encoder(source: str, device: str) -> ClipEncoder:
    """One copy in memory, however many metrics look through it."""
    return ClipEncoder.from_pretrained(source, device)


def _on_clip(make: Callable[[ClipEncoder], Metric]) -> MetricEntry:
    return MetricEntry(
        kind="image",
        backbones=("clip",),
        make=lambda backbones, device: make(_encoder(backbones.clip, device)),
    )


def _dists(backbones: Backbones, device: str) -> Metric:
    return per_image.dists_metric(load_dists(backbones.vgg16, backbones.dists), device)


def _dists_dolls(backbones: Backbones, device: str) -> Metric:
    return per_image.dists_dolls_metric(load_doll_features(backbones.dolls), device)


def _dino(backbones: Backbones, device: str) -> Metric:
    return DinoSimilarity(encoder=DinoEncoder.from_pretrained(backbones.dino, device))


def _round_trip(backbones: Backbones, device: str) -> Metric:
    pipeline = TWGTMPipeline.from_pretrained(backbones.twgtm).to(device)
    pipeline.set_progress_bar_config(disable=True)
    return RoundTripDistance(pipeline=pipeline)


def _aesthetic(backbones: Backbones, device: str) -> Metric:
    encoder = _encoder(backbones.clip_l, device)
    return AestheticScore(encoder=encoder, head=load_head(backbones.aesthetic, encoder.dimension))


def _frechet(name: str, definition: str, extractor: str, backbone: str) -> MetricEntry:
    metric = FrechetMetric(spec=_distance_spec(name, definition, backbone, low=0), extractor=extractor)
    return MetricEntry(kind="set", backbones=(backbone,), make=lambda _backbones, _device: metric)


def _kernel(name: str, definition: str, extractor: str, backbone: str) -> MetricEntry:
    metric = KernelMetric(
        spec=_distance_spec(name, definition, backbone, low=float("-inf")), extractor=extractor
    )
    return MetricEntry(kind="set", backbones=(backbone,), make=lambda _backbones, _device: metric)


def _distance_spec(name: str, definition: str, backbone: str, low: float) -> MetricSpec:
    return MetricSpec(
        name=name,
        higher_is_better=False,
        low=low,
        high=float("inf"),
        needs=frozenset(),
        definition=definition,
        backbone=backbone,
    )


FRECHET = "Fréchet distance in float64, sample covariances, of "
KERNEL = (
    "unbiased squared MMD, kernel (xᵀy / D + 1)³, mean of 100 subsets of at most 1000, not times 1000, of "
)
POOL3 = "the pool3 features (2048) of Inception-v3 as of 2015-12-05, pictures resized to 299×299 "
CLEAN = POOL3 + "by PIL's bicubic filter in float32, as clean-fid does"
LEGACY = POOL3 + "by bilinear interpolation without antialiasing, as pytorch-fid does"
DOLLS = "the mean features (last stage) of a small network trained on Paper Dolls, pictures at 256×192"

METRICS: Mapping[str, MetricEntry] = {
    "ssim": _formula(per_image.ssim_metric),
    "ms_ssim": _formula(per_image.ms_ssim_metric),
    "cw_ssim": _formula(per_image.cw_ssim_metric),
    "psnr": _formula(per_image.psnr_metric),
    "lpips_alex": _lpips("alex"),
    "lpips_vgg": _lpips("vgg"),
    "lpips_squeeze": _lpips("squeeze"),
    "dists": MetricEntry(kind="image", backbones=("vgg16", "dists"), make=_dists),
    "dists_dolls": MetricEntry(kind="image", backbones=("dolls",), make=_dists_dolls),
    "l1_within": _formula(per_image.l1_within_metric),
    "delta_e": _formula(per_image.delta_e_metric),
    "edges": _formula(per_image.edge_metric),
    "iou": _formula(per_image.iou_metric),
    "fid": _frechet("FID", FRECHET + CLEAN, "inception", "inception"),
    "fid_legacy": _frechet("FID (legacy)", FRECHET + LEGACY, "inception_legacy", "inception"),
    "kid": _kernel("KID", KERNEL + CLEAN, "inception", "inception"),
    "clip_fid": _frechet(
        "CLIP-FID",
        FRECHET + "CLIP's image embeddings, not normalised, as clean-fid computes them",
        "clip",
        "clip",
    ),
    "fd_dolls": _frechet("FD-dolls", FRECHET + DOLLS, "dolls", "dolls"),
    "kd_dolls": _kernel("KD-dolls", KERNEL + DOLLS, "dolls", "dolls"),
    "round_trip": MetricEntry(kind="image", backbones=("twgtm",), make=_round_trip),
    "clip_t": _on_clip(lambda encoder: ClipText(encoder=encoder)),
    "clip_i": _on_clip(lambda encoder: ClipImage(encoder=encoder)),
    "clip_i_star": _on_clip(lambda encoder: ClipRegions(encoder=encoder)),
    "dino": MetricEntry(kind="image", backbones=("dino",), make=_dino),
    "aesthetic": MetricEntry(kind="image", backbones=("aesthetic", "clip_l"), make=_aesthetic),
}
"""Every metric, by the name that protocols and the command line use."""

EXTRACTORS: Mapping[str, Callable[[Backbones, str], FeatureExtractor]] = {
    "inception": lambda backbones, device: InceptionFeatures(
        network=load_inception(backbones.inception), device=device
    ),
    "inception_legacy": lambda backbones, device: InceptionFeatures(
        network=load_inception(backbones.inception), legacy=True, device=device
    ),
    "clip": lambda backbones, device: ClipFeatures(encoder=_encoder(backbones.clip, device)),
    "dolls": lambda backbones, device: DollVectors(
        network=load_doll_features(backbones.dolls), device=device
    ),
}
"""What gives set metrics their vectors."""
