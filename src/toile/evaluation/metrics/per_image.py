"""The metrics that give every picture a number of its own, as they measure samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from PIL import Image
from torch import Tensor

from toile.data.tensors import to_tensor
from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures
from toile.evaluation.metrics.dists import DISTS
from toile.evaluation.metrics.garment import delta_e_2000, edge_agreement, l1_within, silhouette_iou
from toile.evaluation.metrics.lpips import LPIPS, Network
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import MetricSpec
from toile.evaluation.metrics.structure import cw_ssim, ms_ssim, psnr, ssim

Pictures = Mapping[str, Tensor]
"""`prediction` and `target` (B, 3, H, W), `silhouette` (B, 1, H, W), in [0, 1], as far as they are needed."""
Need = Literal["target", "silhouette"]
BACKBONES: Mapping[Network, str] = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}
"""What LPIPS's networks are called in the table of backbones."""


@dataclass(frozen=True, kw_only=True)
class PairedMetric:
    """Compares predictions with their targets or silhouettes, pictures of one size at a time."""

    spec: MetricSpec
    """Name, direction, range and definition."""
    measure: Callable[[Pictures], Float[Tensor, " B"]]
    """The metric as a function of pictures of one size."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    """Where it is computed."""
    precision: torch.dtype = torch.float64
    """What it is computed in: float64 for formulas, float32 for networks."""

    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One value a sample, in their order.

        Raises:
            ToileError: when a sample lacks what the metric needs, has an empty silhouette or is too small.
        """
        values = np.full(len(samples), np.nan)
        rows_by_size: dict[tuple[int, int], list[int]] = {}
        for row, sample in enumerate(samples):
            self._check(sample)
            rows_by_size.setdefault(sample.prediction.size, []).append(row)
        for rows in rows_by_size.values():
            values[rows] = self._measured([samples[row] for row in rows])
        return values

    def _check(self, sample: Sample) -> None:
        for need in sorted(self.spec.needs):
            if getattr(sample, need) is None:
                raise ToileError(f"{sample.identifier} has no {need}; {self.spec.name} cannot do without")
        if "silhouette" in self.spec.needs and sample.silhouette and sample.silhouette.getbbox() is None:
            raise ToileError(
                f"{sample.identifier}: the silhouette is empty; {self.spec.name} looks inside it"
            )

    @torch.no_grad()
    def _measured(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        names = {"prediction", *self.spec.needs}
        pictures = {name: self._stacked([getattr(sample, name) for sample in samples]) for name in names}
        try:
            # cuDNN may round float32 to ten bits of mantissa (TF32) unless told not to: too few for 1e-4
            with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
                values: np.ndarray = self.measure(pictures).double().cpu().numpy()
        except ToileError as error:
            raise ToileError(f"{samples[0].identifier}: {error}") from error
        return values

    def _stacked(self, pictures: Sequence[Image.Image]) -> Float[Tensor, "B C H W"]:
        stacked = torch.stack([to_tensor(picture) for picture in pictures])  # (B, C, H, W), uint8
        return stacked.to(self.device, self.precision) / 255


def ssim_metric() -> PairedMetric:
    """SSIM of `structure.ssim`."""
    return _formula(
        "SSIM",
        "SSIM over RGB in [0, 1] (data range 1): Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03, "
        "averaged where the window lies inside the picture (Wang et al. 2004).",
        lambda pictures: ssim(pictures["prediction"], pictures["target"], data_range=1.0),
        low=-1.0,
    )


def ms_ssim_metric() -> PairedMetric:
    """MS-SSIM of `structure.ms_ssim`."""
    return _formula(
        "MS-SSIM",
        "MS-SSIM over RGB in [0, 1] (data range 1): five scales by 2×2 averages, exponents 0.0448, 0.2856, "
        "0.3001, 0.2363, 0.1333, windows as SSIM's, channels averaged before the product, negative terms 0 "
        "(Wang et al. 2003).",
        lambda pictures: ms_ssim(pictures["prediction"], pictures["target"], data_range=1.0),
    )


def cw_ssim_metric() -> PairedMetric:
    """CW-SSIM of `structure.cw_ssim`."""
    return _formula(
        "CW-SSIM",
        "CW-SSIM over brightness (BT.601) in [0, 1] (data range 1): level 4 of a complex steerable pyramid, "
        "8 orientations, uniform 7×7 window, K 1e-6, Gaussian average with sigma a quarter of the band's "
        "height (Sampat et al. 2009).",
        lambda pictures: cw_ssim(pictures["prediction"], pictures["target"], data_range=1.0),
    )


def psnr_metric() -> PairedMetric:
    """PSNR of `structure.psnr`."""
    return _formula(
        "PSNR",
        "PSNR in dB over RGB in [0, 1] (data range 1), one mean over all channels; infinite if equal.",
        lambda pictures: psnr(pictures["prediction"], pictures["target"], data_range=1.0),
        high=float("inf"),
    )


def l1_within_metric() -> PairedMetric:
    """Mean absolute error of `garment.l1_within`."""
    return _formula(
        "L1 within",
        "Mean absolute error of RGB in [0, 1] inside the true silhouette.",
        lambda pictures: l1_within(pictures["prediction"], pictures["target"], pictures["silhouette"]),
        higher_is_better=False,
        needs=("target", "silhouette"),
    )


def delta_e_metric() -> PairedMetric:
    """Colour error of `garment.delta_e_2000`."""
    return _formula(
        "ΔE 2000",
        "Mean CIEDE2000 colour difference of sRGB (D65, 2° observer) inside the true silhouette.",
        lambda pictures: delta_e_2000(pictures["prediction"], pictures["target"], pictures["silhouette"]),
        higher_is_better=False,
        high=float("inf"),
        needs=("target", "silhouette"),
    )


def edge_metric() -> PairedMetric:
    """Agreement of gradients of `garment.edge_agreement`."""
    return _formula(
        "edges",
        "Agreement of the Sobel gradients of RGB inside the true silhouette less two pixels of its border, "
        "averaged over three scales (1, 1/2, 1/4); the project's own.",
        lambda pictures: edge_agreement(pictures["prediction"], pictures["target"], pictures["silhouette"]),
        low=-1.0,
        needs=("target", "silhouette"),
    )


def iou_metric() -> PairedMetric:
    """Overlap of silhouettes of `garment.silhouette_iou`."""
    return _formula(
        "IoU",
        "Intersection over union of the true silhouette and the pixels with any channel below 0.95 of white.",
        lambda pictures: silhouette_iou(pictures["prediction"], pictures["silhouette"]),
        needs=("silhouette",),
    )


def lpips_metric(model: LPIPS, network: Network, device: torch.device | str = "cpu") -> PairedMetric:
    """LPIPS of a loaded model (see `lpips.load_lpips`)."""
    return _network(
        f"LPIPS ({network})",
        f"LPIPS version 0.1 on {BACKBONES[network]}, RGB in [-1, 1] at its own size, published heads.",
        model.to(device),
        device=device,
        backbone=BACKBONES[network],
        high=float("inf"),
    )


def dists_metric(model: DISTS, device: torch.device | str = "cpu") -> PairedMetric:
    """DISTS of a loaded model (see `dists.load_dists`)."""
    return _network(
        "DISTS",
        "DISTS on VGG-16 with Hanning pooling, RGB in [0, 1] at its own size, published alpha and beta.",
        model.to(device),
        device=device,
        backbone="vgg16",
        high=2.0,
    )


def dists_dolls_metric(model: DollFeatures, device: torch.device | str = "cpu") -> PairedMetric:
    """DISTS's formula on a network trained on Paper Dolls (see `doll_features.load_doll_features`)."""
    return _network(
        "DISTS-dolls",
        "DISTS's formula on a small network trained on Paper Dolls, RGB in [0, 1] at its own size; "
        "not comparable with DISTS.",
        model.to(torch.device(device)).distance,
        device=device,
        backbone="dolls",
        high=2.0,
    )


def _formula(
    name: str,
    definition: str,
    measure: Callable[[Pictures], Float[Tensor, " B"]],
    *,
    higher_is_better: bool = True,
    low: float = 0.0,
    high: float = 1.0,
    needs: Sequence[Need] = ("target",),
) -> PairedMetric:
    spec = MetricSpec(
        name=name,
        higher_is_better=higher_is_better,
        low=low,
        high=high,
        needs=frozenset(needs),
        definition=definition,
        backbone=None,
    )
    return PairedMetric(spec=spec, measure=measure)


def _network(
    name: str,
    definition: str,
    distance: Callable[[Tensor, Tensor], Tensor],
    *,
    device: torch.device | str,
    backbone: str,
    high: float,
) -> PairedMetric:
    spec = MetricSpec(
        name=name,
        higher_is_better=False,
        low=0.0,
        high=high,
        needs=frozenset({"target"}),
        definition=definition,
        backbone=backbone,
    )
    return PairedMetric(
        spec=spec,
        measure=lambda pictures: distance(pictures["prediction"], pictures["target"]),
        device=torch.device(device),
        precision=torch.float32,
    )
