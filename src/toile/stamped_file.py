"""Tensors in a safetensors file, stamped with what they are and with the weights that made them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from toile.errors import ToileError
from toile.files import whole_file


def save_stamped(
    path: Path,
    kind: str,
    tensors: Mapping[str, Tensor],
    stamp: Mapping[str, object],
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write a file, whole or not at all.

    Args:
        path: the file.
        kind: what it holds, in words.
        tensors: by name.
        stamp: what is told of them; `weights` is the hash of the weights that made them.
        notes: what else the file's header is to say.

    Raises:
        ToileError: when it cannot be written.
    """
    metadata = {**(notes or {}), "toile": kind, "stamp": json.dumps(stamp)}
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with whole_file(path) as beside:
            save_file(contiguous, beside, metadata=metadata)
            with beside.open("rb+") as file:  # on the disk before it has its name
                os.fsync(file.fileno())
    except SafetensorError as error:
        raise ToileError(f"{path} cannot be written ({error}); choose another output") from error


def load_stamped(path: Path, kind: str, weights: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file that `save_stamped` wrote: its tensors and its stamp.

    Raises:
        ToileError: when it cannot be read, holds something else, or was made by other weights.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ToileError(f"cannot read {path}: {error}") from error
    if metadata.get("toile") != kind:
        raise ToileError(f"{path} holds no {kind}, but {metadata.get('toile', 'something else')}")
    stamp = json.loads(metadata["stamp"])
    if stamp["weights"] != weights:
        raise ToileError(
            f"{path} was made by other weights ({stamp['weights'][:12]}) than these ({weights[:12]}); "
            "encode the garment again"
        )
    return tensors, stamp
