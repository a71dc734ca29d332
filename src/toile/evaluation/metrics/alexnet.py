"""AlexNet's feature stack, with torchvision's key names."""

from torch import nn

from toile.evaluation.metrics.feature_stack import FeatureStack
from toile.evaluation.metrics.published_weights import PublishedFile

PUBLISHED = PublishedFile(
    network="AlexNet", source="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth"
)


def alexnet() -> FeatureStack:
    """Taps the five rectified convolutions; random weights.

    Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks" (the variant
    with one column that torchvision publishes).
    """
    layers = [
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    ]
    return FeatureStack(
        layers, taps=(1, 4, 7, 9, 11), channels=(64, 192, 384, 256, 256), smallest=31, published=PUBLISHED
    )
