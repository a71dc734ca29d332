"""Checkpoints: folders of safetensors and one JSON file, written whole or not at all. Nothing is pickled.

`step_00001000/` holds `model.safetensors` (what trains, and the buffers), `average.safetensors`,
`optimizer.safetensors` (the optimisers' moments) and `state.json` (the step, and fp16's loss scaler). There
are no random states, because none lives from one step to the next: see `toile.training.randomness`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from toile.errors import ToileError
from toile.whole import remove_folder, remove_leftovers, whole_folder

_NAME = re.compile(r"step_(\d{8})")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything that a run continues from."""

    step: int
    """Optimiser steps done."""
    model: Mapping[str, Tensor]
    """Trained parameters and buffers, by name."""
    average: Mapping[str, Tensor]
    """Averaged parameters, by name; empty without an average."""
    optimizer: Mapping[str, Tensor]
    """The optimisers' tensors, as "parameter name/state name"."""
    scaler: Mapping[str, Any] = field(default_factory=dict)
    """Numbers of fp16's loss scaler; empty without one."""


def save_checkpoint(folder: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Write a checkpoint into the folder of checkpoints and remove all but the newest `keep`."""
    target = folder / f"step_{checkpoint.step:08d}"
    if not target.exists():
        with whole_folder(target) as beside:
            for part in ("model", "average", "optimizer"):
                tensors = getattr(checkpoint, part)
                save_file(
                    {name: _portable(tensor) for name, tensor in tensors.items()},
                    beside / f"{part}.safetensors",
                )
            state = {"step": checkpoint.step, "scaler": dict(checkpoint.scaler)}
            (beside / "state.json").write_text(json.dumps(state), encoding="utf-8")
    for old in list_checkpoints(folder)[:-keep]:
        remove_folder(old)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a folder, oldest first."""
    found = [path for path in folder.glob("step_*") if _NAME.fullmatch(path.name)]
    return sorted(path for path in found if (path / "state.json").exists())


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint, if any; what a killed run left unfinished beside it is removed."""
    remove_leftovers(folder)
    checkpoints = list_checkpoints(folder)
    return checkpoints[-1] if checkpoints else None


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ToileError: when a file is missing or damaged.
    """
    try:
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        tensors = {
            part: load_file(path / f"{part}.safetensors") for part in ("model", "average", "optimizer")
        }
    except Exception as error:  # safetensors raises its own kinds
        raise ToileError(
            f"the checkpoint {path} cannot be read ({error}); remove it to use the one before"
        ) from error
    return Checkpoint(step=state["step"], scaler=state["scaler"], **tensors)


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint keeps of a model: parameters that train, and persistent buffers."""
    frozen = {name for name, p in model.named_parameters(remove_duplicate=False) if not p.requires_grad}
    seen: dict[int, str] = {}  # tied weights once
    state = {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if name not in frozen}
    return {
        name: tensor.detach() for name, tensor in state.items() if seen.setdefault(id(tensor), name) == name
    }


@torch.no_grad()
def load_model_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put a checkpoint's tensors into a model.

    Raises:
        ToileError: when they are of another model.
    """
    own = model_tensors(model)
    wrong = sorted(own.keys() ^ tensors.keys()) or [n for n, t in own.items() if t.shape != tensors[n].shape]
    if wrong:
        raise ToileError(
            f"the checkpoint is of another model: {wrong[0]!r} is missing on one side or differs in shape"
        )
    for name, tensor in own.items():
        tensor.copy_(tensors[name])


def optimizer_tensors(
    optimizers: Sequence[torch.optim.Optimizer], parameters: Mapping[str, nn.Parameter]
) -> dict[str, Tensor]:
    """The optimisers' state by parameter name."""
    return {
        f"{name}/{key}": value
        for optimizer in optimizers
        for name, parameter in parameters.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer_tensors(
    optimizers: Sequence[torch.optim.Optimizer],
    parameters: Mapping[str, nn.Parameter],
    tensors: Mapping[str, Tensor],
) -> None:
    """Put a checkpoint's moments into optimisers, on each parameter's device and in its memory layout."""
    states: dict[str, dict[str, Tensor]] = {}
    for full_name, value in tensors.items():
        name, key = full_name.rsplit("/", 1)
        like = parameters[name]
        moment = torch.empty_like(like).copy_(value) if value.shape == like.shape else value.clone()
        states.setdefault(name, {})[key] = moment.detach()
    names = {id(parameter): name for name, parameter in parameters.items()}
    for optimizer in optimizers:
        own = [names[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
        state = {number: states[name] for number, name in enumerate(own) if name in states}
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _portable(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()
