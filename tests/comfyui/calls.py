"""Calls a node as ComfyUI's executor does, with what its widgets hold by default."""

from typing import Any

import torch
from tests.comfyui.graph import check_outputs, node

from toile.comfyui.nodes import NODE_CLASS_MAPPINGS


def call(name: str, /, **inputs: Any) -> tuple:
    """The outputs of a node, checked against its RETURN_TYPES; one step, where nothing else is said."""
    kind = NODE_CLASS_MAPPINGS[name]
    given = node(name)["inputs"] | inputs
    if "steps" in given:
        given["steps"] = inputs.get("steps", 1)
    with torch.inference_mode():
        outputs = getattr(kind(), kind.FUNCTION)(**given)
    check_outputs(name, outputs)
    return outputs


def apart(first: torch.Tensor, second: torch.Tensor) -> float:
    """The largest difference of two batches, in steps of 1/255."""
    return float((first - second).abs().max()) * 255
