"""Metrics of pictures: functions first, then what measures samples with them, then what adds figures up."""

from toile.evaluation.metrics.accumulators import FeatureAccumulator, PerImageAccumulator
from toile.evaluation.metrics.garment import delta_e_2000, edge_agreement, l1_within, silhouette_iou, sobel
from toile.evaluation.metrics.sample import Sample, WornGarment
from toile.evaluation.metrics.spec import FeatureExtractor, MetricSpec, PerImageMetric, SetMetric
from toile.evaluation.metrics.structure import cw_ssim, ms_ssim, psnr, ssim

__all__ = [
    "FeatureAccumulator",
    "FeatureExtractor",
    "MetricSpec",
    "PerImageAccumulator",
    "PerImageMetric",
    "Sample",
    "SetMetric",
    "WornGarment",
    "cw_ssim",
    "delta_e_2000",
    "edge_agreement",
    "l1_within",
    "ms_ssim",
    "psnr",
    "silhouette_iou",
    "sobel",
    "ssim",
]
