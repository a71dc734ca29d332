"""VGG-16's feature stack, with torchvision's key names."""

from itertools import pairwise
from typing import Literal

from torch import nn

from toile.evaluation.metrics.feature_stack import FeatureStack
from toile.evaluation.metrics.hanning_pool import HanningPool
from toile.evaluation.metrics.published_weights import PublishedFile

PUBLISHED = PublishedFile(network="VGG-16", source="https://download.pytorch.org/models/vgg16-397923af.pth")
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""The width of each convolution of each block; pooling layers lie between blocks."""


def vgg16(pooling: Literal["max", "hanning"] = "max") -> FeatureStack:
    """Taps relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3; random weights.

    Args:
        pooling: "max" as published, or "hanning" as DISTS changes it. Neither has weights.

    Source: Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition",
    configuration D.
    """
    widths = (3, *(width for block in BLOCKS for width in block))
    convolutions = [nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths)]
    layers: list[nn.Module] = []
    taps = []
    for block in BLOCKS:
        if layers:
            layers.append(nn.MaxPool2d(2) if pooling == "max" else HanningPool())
        for _ in block:
            layers += [convolutions.pop(0), nn.ReLU()]
        taps.append(len(layers) - 1)
    return FeatureStack(
        layers, taps=taps, channels=[block[-1] for block in BLOCKS], smallest=16, published=PUBLISHED
    )
