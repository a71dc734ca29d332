"""Published weights read from one file, as plain tensors: safetensors, or a .pth that holds tensors alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """Which file a network's weights are published as."""

    network: str
    """What it holds, for messages: "VGG-16"."""
    source: str
    """Where it is to be had: an address, or a name on a hub."""


def read_tensors(path: Path | None, published: PublishedFile) -> dict[str, Tensor]:
    """All tensors of a file by their names, on the CPU. Nothing in it is ever run.

    Args:
        path: the file; None where the user has named none.
        published: what it should be, for messages.

    Raises:
        ToileError: when there is no such file, or it cannot be read as named tensors.
    """
    if path is None or not path.is_file():
        where = "no file was given" if path is None else f"there is no file {path}"
        raise ToileError(
            f"no weights of {published.network}: {where}; "
            f"get them from {published.source} and give their path"
        )
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        found: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files fail in many ways
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ToileError(
            f"{path} cannot be read as the weights of {published.network} ({reason}); "
            f"get them from {published.source}"
        ) from error
    if not isinstance(found, dict) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        raise ToileError(
            f"{path} holds no named tensors; get the weights of {published.network} from {published.source}"
        )
    return found


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], path: Path, published: PublishedFile) -> None:
    """Copy tensors into a module by name; names that the module doesn't have are left.

    Raises:
        ToileError: when one that it has is missing or of another shape.
    """
    taken = {
        name: take(tensors, name, tuple(own.shape), path, published).to(own.dtype)
        for name, own in module.state_dict().items()
    }
    module.load_state_dict(taken)


def take(
    tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...], path: Path, published: PublishedFile
) -> Tensor:
    """One tensor of a file.

    Raises:
        ToileError: when it is missing or of another shape.
    """
    if name not in tensors or tensors[name].shape != shape:
        what = "is missing" if name not in tensors else f"has the shape {tuple(tensors[name].shape)}"
        raise ToileError(
            f"{path} does not hold the weights of {published.network}: {name} {what}; "
            f"get them from {published.source}"
        )
    return tensors[name]
