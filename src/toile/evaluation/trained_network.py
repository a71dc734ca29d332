"""The small networks that evaluation brings along: loaded from a folder, frozen, ready to measure with."""

from pathlib import Path
from typing import TypeVar

from diffusers import ModelMixin
from safetensors import SafetensorError

from toile.diffusion.weight_files import check_weights
from toile.errors import ToileError

CONFIG = "config.json"
Network = TypeVar("Network", bound=ModelMixin)


def load_trained(kind: type[Network], folder: Path, *, name: str, training: str) -> Network:
    """Load a network that `toile train` exported.

    Args:
        kind: its class.
        folder: its configuration and weights.
        name: what it is called, for messages.
        training: the training that makes it.

    Raises:
        ToileError: when the folder has no weights, or they are damaged.
    """
    if not (folder / CONFIG).is_file():
        raise ToileError(
            f"no weights of {name} in {folder}; `toile train {training}` or `make weights` makes them"
        )
    try:
        model: Network = kind.from_pretrained(folder, low_cpu_mem_usage=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ToileError(f"the weights of {name} in {folder} cannot be read: {error}") from error
    check_weights(folder, model)
    model.eval().requires_grad_(False)
    return model
