"""The features of published classifiers as torchvision prints them, random weights that carry a signal."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn


class Fire(nn.Module):
    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeezed, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = self.squeeze_activation(self.squeeze(hidden))
        small = self.expand1x1_activation(self.expand1x1(hidden))
        return torch.cat([small, self.expand3x3_activation(self.expand3x3(hidden))], 1)


def _convolution(*shape: int, **settings: int) -> list[nn.Module]:
    return [nn.Conv2d(*shape, **settings), nn.ReLU(inplace=True)]


def _large_pool(**settings: bool) -> list[nn.Module]:
    return [nn.MaxPool2d(kernel_size=3, stride=2, **settings)]


def _double(before: int, after: int) -> list[nn.Module]:
    return _convolution(before, after, 3, padding=1) + _convolution(after, after, 3, padding=1)


def _triple(before: int, after: int) -> list[nn.Module]:
    return _double(before, after) + _convolution(after, after, 3, padding=1)


def vgg16() -> nn.Sequential:
    blocks = [_double(3, 64), _double(64, 128), _triple(128, 256), _triple(256, 512), _triple(512, 512)]
    return _random(*(layer for block in blocks for layer in [*block, nn.MaxPool2d(2, stride=2)]))


def alexnet() -> nn.Sequential:
    return _random(
        *_convolution(3, 64, 11, stride=4, padding=2),
        *_large_pool(),
        *_convolution(64, 192, 5, padding=2),
        *_large_pool(),
        *_convolution(192, 384, 3, padding=1),
        *_convolution(384, 256, 3, padding=1),
        *_convolution(256, 256, 3, padding=1),
        *_large_pool(),
    )


def squeezenet1_1() -> nn.Sequential:
    return _random(
        *_convolution(3, 64, 3, stride=2),
        *_large_pool(ceil_mode=True),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        *_large_pool(ceil_mode=True),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        *_large_pool(ceil_mode=True),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    )


def _random(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    features = nn.Sequential(*layers)
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.normal_(module.bias, std=0.1)
    return features.eval().requires_grad_(False)


def published_file(features: nn.Sequential, path: Path) -> Path:
    """A file as torchvision publishes it: the features by their names, and a classifier that nobody wants."""
    tensors = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    tensors["classifier.6.bias"] = torch.zeros(1000)
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return path
